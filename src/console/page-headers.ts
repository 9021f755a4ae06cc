/**
 * The headers of every answer of the console.
 *
 * INVARIANT (strict page): every answer carries the Content-Security-Policy below. A page can load and
 * call this server only, runs no inline script, and cannot be framed.
 * @see docs/adr/0043-console.md
 * @module
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const pageHeaders = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const

/** The page to which identity providers send people back. It hands the result to the page that opened it. */
export const returnPage = 'signed-in.html'

/**
 * The policies by which a pop-up of an identity provider keeps its opener. The console keeps pop-ups of other
 * sites connected. The page at the end of a sign-in has the policy of the provider's pages, none, because a
 * browser cuts the connection where the policy of a window changes.
 * @see docs/adr/0049-console-sign-in.md
 */
export function openerPolicy(file: string): Readonly<Record<string, string>> {
  const policy = file === returnPage ? 'unsafe-none' : 'same-origin-allow-popups'
  return { 'Cross-Origin-Opener-Policy': policy }
}
