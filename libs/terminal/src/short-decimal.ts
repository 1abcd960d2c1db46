/** `60123.10000000` → `60123.10`: zeros beyond the second place say nothing to people. */
export function shortDecimal(text: string): string {
  return text.replace(/(\.\d\d\d*?)0+$/, '$1')
}
