/**
 * The page at the end of a sign-in by an identity provider, in its pop-up. It hands the provider's answer to the
 * page that opened it, and closes.
 * @module
 */
import { returnText } from './text/sign-in.ts'

const query = new URLSearchParams(location.search)
// The code is good once and for the opener only. It is not left in the address or the history anyway.
history.replaceState(null, '', location.pathname)
const opener: unknown = window.opener
const root = document.getElementById('root')
if (root !== null) root.textContent = opener === null ? returnText.noOpener : returnText.done
if (opener !== null) {
  // Only a page of this origin gets it. The opener checks that this window is the one that it opened.
  window.opener.postMessage({ signedIn: Object.fromEntries(query) }, location.origin)
  window.close()
}
