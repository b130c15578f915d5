/** Who may import whom: app → features → (components | api); no island imports another. */
module.exports = {
  forbidden: [
    {
      name: "no-circles",
      comment: "Two modules that need each other are one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "islands-stand-alone",
      comment: "A feature imports no other: what two of them need lives in components/ or api/.",
      severity: "error",
      from: { path: "^features/([^/]+)/" },
      to: { path: "^features/", pathNot: "^features/$1/" },
    },
    {
      name: "features-know-no-routes",
      comment: "Routes compose features, never the other way round.",
      severity: "error",
      from: { path: "^(features|components|api)/" },
      to: { path: "^app/" },
    },
    {
      name: "components-are-dumb",
      comment: "What is shared gets everything as properties: it knows neither features nor the server.",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^(features|api)/" },
    },
    {
      name: "api-is-below",
      comment: "The door to the server knows no part of the page.",
      severity: "error",
      from: { path: "^api/" },
      to: { path: "^(features|components)/" },
    },
    {
      name: "routes-only-compose",
      comment: "A route asks the server nothing itself.",
      severity: "error",
      from: { path: "^app/" },
      to: { path: "^api/" },
    },
    {
      name: "one-door",
      comment: "JSON with 64-bit integers is read and written by api/json alone.",
      severity: "error",
      from: { pathNot: "^api/json\\.ts$" },
      to: { path: "lossless-json" },
    },
    {
      name: "no-orphans",
      comment: "A module that nobody imports is not needed.",
      severity: "error",
      from: { orphan: true, pathNot: "\\.d\\.ts$|^app/|\\.test\\.tsx?$" },
      to: {},
    },
    {
      name: "only-what-is-declared",
      comment: "What is imported is installed because package.json says so.",
      severity: "error",
      from: { pathNot: "\\.test\\.tsx?$" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "unknown", "undetermined", "npm-optional"] },
    },
    {
      name: "nothing-missing",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
