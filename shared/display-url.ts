/**
 * The form of a URL that people may see: without user info, query and fragment, which may hold secrets. A text that is
 * no URL is not shown at all, since nobody knows which part of it would be the secret.
 */
export function displayUrl(url: string | URL): string {
  if (!URL.canParse(String(url))) return '(not a URL)';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
