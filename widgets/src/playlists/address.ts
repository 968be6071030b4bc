/** Addresses that came from elsewhere: only those of pages are followed. */
export function pageAddress(url: string | null | undefined): string | null {
  return url && /^https?:\/\//i.test(url) ? url : null;
}
