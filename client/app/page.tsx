export default function Page() {
  return <h1>Wherry Studio</h1>;
}
