/**
 * Serves the console's files at `/console/`. The files hold no secret and no data: the page that they
 * make is a client of the public API, and each of its calls is signed in the browser.
 * @see docs/adr/0043-console.md
 * @module
 */
import { headerValues } from '../wire/headers.ts'
import { jsonAnswer } from '../wire/refusal.ts'
import type { RawRequest, RawResponse } from '../wire/request.ts'
import type { Route } from '../wire/routes.ts'
import type { BuiltFile, BuiltFiles } from './built-files.ts'
import { openerPolicy, pageHeaders } from './page-headers.ts'
import { shownProvider } from './setting.ts'
import { signInRoutes, type SignIn } from './sign-in-routes.ts'

const prefix = '/console/'

/** Where the console's pages are, and what they must know before anybody signs in. */
export interface ConsoleSettings {
  /** The Region that the console begins with. */
  readonly region: string
  readonly regions: readonly string[]
  readonly version: string
}

/** @param signIn by providers; without any, pop-ups of other sites are cut off from the pages */
export function consoleRoutes(
  files: BuiltFiles,
  settings: ConsoleSettings,
  signIn: SignIn,
): readonly Route[] {
  const page = { methods: ['GET'], open: 'page', bodyBytesMax: 0 } as const
  const text = JSON.stringify({ ...settings, signIn: signIn.providers.map(shownProvider) })
  const hasPopUps = signIn.providers.length > 0
  return [
    ...signInRoutes(signIn),
    { ...page, path: prefix, below: true, handle: (request) => answer(request, files, hasPopUps) },
    { ...page, path: '/console', handle: async () => redirect(prefix) },
    {
      ...page,
      path: `${prefix}settings.json`,
      handle: async () => ({
        status: 200,
        headers: {
          ...pageHeaders,
          'Content-Type': 'application/json',
          'Cache-Control': 'no-cache',
        },
        body: text,
      }),
    },
  ]
}

async function answer(
  request: RawRequest,
  files: BuiltFiles,
  hasPopUps: boolean,
): Promise<RawResponse> {
  const [path = ''] = request.target.slice(prefix.length).split('?')
  const name = path === '' ? 'index.html' : path
  const file = await files.find(name)
  if (file !== undefined) return fileAnswer(request, file, hasPopUps ? openerPolicy(name) : {})
  if (path === '' && !(await files.isBuilt())) return notBuilt()
  return jsonAnswer(404, { message: 'the console has no such file' }, pageHeaders)
}

function fileAnswer(
  request: RawRequest,
  file: BuiltFile,
  policy: Readonly<Record<string, string>>,
): RawResponse {
  const { type, bytes, brotli, etag, isHashed } = file
  const headers = {
    ...pageHeaders,
    ...policy,
    ETag: etag,
    Vary: 'Accept-Encoding',
    'Cache-Control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
  const known = headerValues(request.rawHeaders, 'if-none-match').join(',').split(',')
  if (known.some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    return { status: 304, headers, body: '' }
  }
  const typed = { ...headers, 'Content-Type': type }
  if (brotli === undefined || !takesBrotli(request)) {
    return { status: 200, headers: typed, body: bytes }
  }
  return { status: 200, headers: { ...typed, 'Content-Encoding': 'br' }, body: brotli }
}

function takesBrotli({ rawHeaders }: RawRequest): boolean {
  const accepted = headerValues(rawHeaders, 'accept-encoding').join(',').split(',')
  return accepted.some((each) =>
    /^br(?:;q=(?:1|0\.\d*[1-9]\d*))?$/.test(each.replaceAll(/\s/g, '')),
  )
}

function redirect(to: string): RawResponse {
  const headers = { ...pageHeaders, Location: to, 'Cache-Control': 'no-cache' }
  return { status: 308, headers, body: '' }
}

/** The page asks again by itself, without a script. */
function notBuilt(): RawResponse {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="2">
<title>Trent console</title>
<h1>The console is being built</h1>
<p>The server answers calls already. <code>npm start</code> builds the console once, in about a minute.
This page looks again every two seconds.</p>
<p>If it does not come, run <code>npm run build:console</code> and read what it prints.</p>
</html>
`
  const headers = {
    ...pageHeaders,
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Retry-After': '2',
  }
  return { status: 503, headers, body }
}
