/** How the console's files are served: names, headers, caching, and who gets them. @module */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { createBuiltFiles } from '../../src/console/built-files.ts'
import { pagesOnDisk } from '../../src/console/page-folders.ts'
import { consoleRoutes } from '../../src/console/console-route.ts'
import type { SignInProvider } from '../../src/console/setting.ts'
import type { ProviderCalls } from '../../src/console/sign-in-routes.ts'
import type { RawRequest, RawResponse } from '../../src/wire/request.ts'
import { asking, type Asking } from './asked-routes.ts'

const script = 'console.log("a script of some length, so that it can be compressed")'

function writeBuild(directory: string, page: string, asset = 'assets/main-1a2b.js'): void {
  const partial = `${directory}.partial`
  mkdirSync(join(partial, 'assets'), { recursive: true })
  for (const [name, text] of [
    ['index.html', page],
    ['signed-in.html', 'a page'],
    [asset, script],
  ] as const) {
    writeFileSync(join(partial, name), text)
    writeFileSync(join(partial, `${name}.br`), brotliCompressSync(text))
  }
  writeFileSync(join(partial, 'sources'), 'not served')
  rmSync(directory, { recursive: true, force: true })
  renameSync(partial, directory)
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'trent-console-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'dist')
}

const settings = { region: 'us-west-2', regions: ['us-west-2'], version: '1.0.0' }
const providers: readonly SignInProvider[] = [
  { name: 'Example', issuer: 'https://login.example.com', clientId: 'trent', scope: 'openid' },
]

function serving(directory: string, signIn: readonly SignInProvider[] = []): Asking {
  const calls: ProviderCalls = {
    authorizationEndpoint: () => assert.fail('no provider is asked'),
    exchange: () => assert.fail('no provider is asked'),
  }
  const files = createBuiltFiles(pagesOnDisk(directory))
  return asking(consoleRoutes(files, settings, { providers: signIn, calls }))
}

test('the console is its page, its assets and its settings, and nothing else', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, '<!doctype html>')
  const ask = serving(directory)
  const page = await ask({ target: '/console/?x=1' })
  assert.equal(page.status, 200)
  assert.equal(page.headers['Content-Type'], 'text/html; charset=utf-8')
  assert.equal(page.headers['Cache-Control'], 'no-cache')
  assert.equal(page.body.toString(), '<!doctype html>')
  const asset = await ask({ target: '/console/assets/main-1a2b.js' })
  assert.equal(asset.headers['Cache-Control'], 'public, max-age=31536000, immutable')
  assert.equal(asset.body.toString(), script)
  const given = await ask({ target: '/console/settings.json' })
  assert.deepEqual(JSON.parse(given.body.toString()), { ...settings, signIn: [] })
  const short = await ask({ target: '/console' })
  assert.deepEqual([short.status, short.headers['Location']], [308, '/console/'])
  for (const path of [
    'sources',
    'index.html.br',
    '../package.json',
    '%2e%2e/x',
    'assets/',
    'constructor',
  ]) {
    const none = await ask({ target: `/console/${path}` })
    assert.equal(none.status, 404, path)
  }
  assert.equal((await ask({ target: '/consoles/' })).status, 404)
  assert.equal((await ask({ target: '/console/', method: 'POST' })).status, 403)
  assert.equal((await ask({ target: '/console/', method: 'PUT', rawHeaders: same })).status, 405)
})

const same = ['Host', 'localhost:4599', 'Origin', 'http://localhost:4599']

test('every answer of the console has the strict policy, refusals of files included', async (t) => {
  const directory = folderOf(t)
  const ask = serving(directory)
  const targets = [
    '/console/',
    '/console/assets/main-1a2b.js',
    '/console',
    '/console/settings.json',
  ]
  const strict = (answer: RawResponse): void => {
    const policy = answer.headers['Content-Security-Policy'] ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; /)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.equal(answer.headers['X-Content-Type-Options'], 'nosniff')
    assert.equal(answer.headers['Referrer-Policy'], 'no-referrer')
    assert.equal(answer.headers['Cross-Origin-Opener-Policy'], 'same-origin')
    assert.equal(answer.headers['Set-Cookie'], undefined)
  }
  for (const target of targets) strict(await ask({ target }))
  writeBuild(directory, '<!doctype html>')
  for (const target of targets) strict(await ask({ target }))
})

test('the settings show of a provider what people may see, and not where its secret is', async (t) => {
  const [provider = assert.fail()] = providers
  const ask = serving(folderOf(t), [{ ...provider, secretFile: '/etc/trent/console-secret' }])
  const answer = await ask({ target: '/console/settings.json' })
  assert.deepEqual(JSON.parse(answer.body.toString()), { ...settings, signIn: [provider] })
})

test('pop-ups keep their opener only where the settings name an identity provider', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, '<!doctype html>')
  const policies = async (signIn: readonly SignInProvider[]): Promise<unknown> => {
    const ask = serving(directory, signIn)
    const answers = ['/console/', '/console/signed-in.html?code=x&state=y', '/console'].map(
      async (target) => (await ask({ target })).headers['Cross-Origin-Opener-Policy'],
    )
    return Promise.all(answers)
  }
  assert.deepEqual(await policies([]), ['same-origin', 'same-origin', 'same-origin'])
  assert.deepEqual(await policies(providers), [
    'same-origin-allow-popups',
    'unsafe-none',
    'same-origin',
  ])
  const ask = serving(directory, providers)
  // Nothing else is less strict, and a browser asks for the page anew.
  const { headers } = await ask({ target: '/console/signed-in.html?code=x' })
  assert.match(headers['Content-Security-Policy'] ?? '', /^default-src 'none'; script-src 'self'; /)
  assert.equal(headers['Referrer-Policy'], 'no-referrer')
  assert.equal(headers['Cache-Control'], 'no-cache')
  const given = await ask({ target: '/console/settings.json' })
  assert.deepEqual(JSON.parse(given.body.toString()), { ...settings, signIn: providers })
})

test('before the build, the page says so and looks again; after it, the console is there', async (t) => {
  const directory = folderOf(t)
  const ask = serving(directory)
  const before = await ask({ target: '/console/' })
  assert.equal(before.status, 503)
  assert.equal(before.headers['Retry-After'], '2')
  assert.match(before.body.toString(), /<meta http-equiv="refresh" content="2">/)
  assert.match(before.body.toString(), /The console is being built/)
  writeBuild(directory, 'first')
  assert.equal((await ask({ target: '/console/' })).body.toString(), 'first')
  writeBuild(directory, 'second')
  assert.equal((await ask({ target: '/console/' })).body.toString(), 'second')
})

test('an open page gets the files of its build after the next one, and while a build replaces them', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, 'first')
  const ask = serving(directory)
  const statusOf = async (name: string): Promise<number> =>
    (await ask({ target: `/console/${name}` })).status
  assert.equal(await statusOf(''), 200)
  writeBuild(directory, 'second', 'assets/main-3c4d.js')
  // The new build counts from its first page on.
  assert.equal(await statusOf('assets/main-3c4d.js'), 404)
  assert.equal((await ask({ target: '/console/' })).body.toString(), 'second')
  assert.equal(await statusOf('assets/main-3c4d.js'), 200)
  assert.equal(await statusOf('assets/main-1a2b.js'), 200, 'a file of the former build')
  // Between the two renames of a build, and after somebody has removed it.
  rmSync(directory, { recursive: true })
  assert.equal((await ask({ target: '/console/' })).body.toString(), 'second')
  assert.equal(await statusOf('assets/main-3c4d.js'), 200)
  writeBuild(directory, 'third', 'assets/main-5e6f.js')
  assert.equal((await ask({ target: '/console/' })).body.toString(), 'third')
  assert.equal(await statusOf('assets/main-3c4d.js'), 200)
  assert.equal(await statusOf('assets/main-1a2b.js'), 404, 'a file of the build before that')
})

test('a build that comes while its files are read is read anew, and no mixture is served', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, 'first')
  const folder = pagesOnDisk(directory)
  let builds = 0
  const files = createBuiltFiles({
    ...folder,
    async read(path) {
      // A second build replaces the folder before the read, and a third one after a read of it.
      if (path === 'index.html' && builds === 0) {
        builds += 1
        writeBuild(directory, 'second', 'assets/main-3c4d.js')
      }
      const bytes = await folder.read(path)
      if (path === 'signed-in.html' && builds === 1) {
        builds += 1
        writeBuild(directory, 'third', 'assets/main-5e6f.js')
      }
      return bytes
    },
  })
  assert.equal((await files.find('index.html'))?.bytes.toString(), 'third')
  assert.equal(builds, 2)
  assert.notEqual(await files.find('assets/main-5e6f.js'), undefined)
  for (const name of ['assets/main-1a2b.js', 'assets/main-3c4d.js']) {
    assert.equal(await files.find(name), undefined, name)
  }
})

test('files are compressed for a browser that takes it, and not sent again when it has them', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, '<!doctype html>')
  const ask = serving(directory)
  const target = '/console/assets/main-1a2b.js'
  const asked = (...more: string[]): Promise<RawResponse> =>
    ask({ target, rawHeaders: ['Host', 'localhost', ...more] })
  const packed = await asked('Accept-Encoding', 'gzip, deflate, br')
  assert.equal(packed.headers['Content-Encoding'], 'br')
  assert.equal(packed.headers['Vary'], 'Accept-Encoding')
  assert.equal(brotliDecompressSync(packed.body as Buffer).toString(), script)
  for (const refusing of ['gzip', 'br;q=0', 'brotli']) {
    assert.equal((await asked('Accept-Encoding', refusing)).headers['Content-Encoding'], undefined)
  }
  const etag = packed.headers['ETag'] ?? ''
  const known = await asked('If-None-Match', `"other", W/${etag}`)
  assert.deepEqual([known.status, known.body], [304, ''])
  assert.equal((await asked('If-None-Match', '"other"')).status, 200)
})

test('without TLS, only a browser on this machine gets the console, under this machine’s names', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, '<!doctype html>')
  const ask = serving(directory)
  const status = async (changes: Partial<RawRequest>): Promise<number> =>
    (await ask({ target: '/console/', ...changes })).status
  for (const host of ['localhost:4599', '127.0.0.1:4599', '[::1]:4599', 'LOCALHOST']) {
    assert.equal(await status({ rawHeaders: ['Host', host] }), 200, host)
  }
  // A name that an attacker has pointed at 127.0.0.1.
  assert.equal(await status({ rawHeaders: ['Host', 'evil.example:4599'] }), 403)
  assert.equal(await status({ rawHeaders: ['Host', 'localhost', 'Host', 'evil.example'] }), 403)
  assert.equal(await status({ rawHeaders: [] }), 403)
  assert.equal(await status({ remoteAddress: '192.0.2.1', secure: false }), 403)
  const link = ['Host', 'localhost', 'Sec-Fetch-Site', 'cross-site']
  assert.equal(await status({ rawHeaders: link }), 200, 'a link from another site')
})

test('over TLS the certificate proves the name, so any name gets the console', async (t) => {
  const directory = folderOf(t)
  writeBuild(directory, '<!doctype html>')
  const ask = serving(directory)
  const tls = { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' }
  const status = async (changes: Partial<RawRequest>): Promise<number> =>
    (await ask({ target: '/console/', rawHeaders: ['Host', 'kms.example.com'], ...changes })).status
  assert.equal(await status({ remoteAddress: '192.0.2.1', tls }), 200)
  // A trusted proxy reports HTTPS.
  assert.equal(await status({ remoteAddress: '192.0.2.1', secure: true }), 200)
  assert.equal(await status({ remoteAddress: '192.0.2.1', secure: false }), 403)
  assert.equal(await status({ remoteAddress: '127.0.0.1', secure: true }), 403)
})
