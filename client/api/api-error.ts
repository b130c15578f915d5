/** What went wrong with a request, in the words that a person can read: the server's own where it answered. */
import { asObject, asText, type Json, parseJson } from "./json";

type Told = { message: string; code?: string | undefined; details?: string | null; hint?: string | null };

/** A request that was refused, or that nobody answered (then `status` is 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;

  constructor(status: number, { message, code = "", details = null, hint = null }: Told, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.details = details;
    this.hint = hint;
  }

  /** Whether the token is at fault and not what was asked: PGRST301 cannot be verified, PGRST303 has expired. */
  get refusesToken(): boolean {
    return this.status === 401 && /^PGRST30\d$/.test(this.code);
  }

  /** Whether the role may not do this; the anonymous role gets a 401 for it, every other a 403. */
  get forbids(): boolean {
    return this.status === 403 || (this.status === 401 && !this.refusesToken);
  }
}

/** Return the error of a response that was no success, whoever wrote it: the API, a proxy before it, or anything else. */
export function errorOf(status: number, body: string): ApiError {
  let read: Json = null;
  try {
    read = parseJson(body);
  } catch {
    // No JSON: an error page of something between here and the API.
  }
  const { message, title, code, details, hint } = asObject(read);
  const told = asText(message) ?? asText(title);
  if (told === null) {
    return new ApiError(status, UNEXPLAINED[status] ?? { message: `The server answered with status ${status}` });
  }
  return new ApiError(status, {
    message: told,
    code: asText(code) ?? "",
    details: asText(details),
    hint: asText(hint),
  });
}

const UNEXPLAINED: Record<number, Told> = {
  404: { message: "Nothing answers at this address", hint: "Is the server older than this page? Reload it." },
  413: { message: "That is more than the server takes at once" },
  414: { message: "That asks for more than fits into an address", hint: "Remove some filters." },
  429: { message: "Too many requests at once", hint: "Wait a moment and try again." },
  502: { message: "The server is not reachable behind its proxy", hint: "It may be starting: try again in a moment." },
  503: { message: "The server is not ready", hint: "It may be starting: try again in a moment." },
  504: { message: "The server took too long to answer", hint: "Try again, or ask for less." },
};

/** Return the error of a request that nobody answered. */
export function unanswered(cause: unknown): ApiError {
  const timedOut = cause instanceof DOMException && cause.name === "TimeoutError";
  const told = timedOut
    ? { message: "The server took too long to answer", hint: "Try again, or ask for less." }
    : { message: "The server did not answer", hint: "Check that it runs and that you are online, then try again." };
  return new ApiError(0, told, { cause });
}
