/** The AWS SDKs for Go, Java and Rust, each in a program that does one round trip. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openWorkplace } from '../compat/workplace.ts'
import { makeAuthority, makeServerCertificate } from '../../src/tls/make.ts'
import { writtenTls, type WrittenTls } from '../tls/files.ts'
import { programsIn } from './programs.ts'
import { roundTrip } from './round-trip.ts'

const go = await programsIn('go')
const java = await programsIn('java')
const rust = await programsIn('rust')

test('the SDK for Go seals, opens, signs and is refused', { skip: go.skip }, (t) =>
  roundTrip(t, go, 'round-trip', 'Go'),
)

test('the SDK for Java seals, opens, signs and is refused', { skip: java.skip }, (t) =>
  roundTrip(t, java, `java -cp '${java.folder}/classes:${java.folder}/lib/*' RoundTrip`, 'Java'),
)

test('the SDK for Rust seals, opens, signs and is refused', { skip: rust.skip }, (t) =>
  roundTrip(t, rust, 'round-trip', 'Rust'),
)

/** What `trent certificate` makes for this machine. */
async function localTls(t: TestContext): Promise<WrittenTls> {
  const now = Date.now()
  const authority = await makeAuthority(now)
  const names = ['localhost', '127.0.0.1']
  const pair = await makeServerCertificate({ authority, names, days: 1, now })
  return writtenTls(t, { ...pair, authority: authority.cert })
}

/** A client that does not know the authority sends nothing. */
async function refusesUnknown(
  t: TestContext,
  tool: Parameters<typeof roundTrip>[1],
  command: string,
  settings: WrittenTls['settings'],
): Promise<void> {
  const { shell, newKey } = await openWorkplace(t, tool, settings)
  const key = await newKey()
  const { status, stderr } = await shell(`${command} ${key} ${key}`)
  assert.equal(status, 1)
  assert.match(stderr, /certificate|PKIX/)
}

test(
  'the SDK for Go works over TLS with the authority of SSL_CERT_FILE',
  { skip: go.skip },
  async (t) => {
    const { authority, settings } = await localTls(t)
    await roundTrip(t, go, `SSL_CERT_FILE='${authority}' round-trip`, 'Go', settings)
    await refusesUnknown(t, go, 'round-trip', settings)
  },
)

test(
  'the SDK for Java works over TLS with the authority in a trust store',
  { skip: java.skip },
  async (t) => {
    const { authority, folder, settings } = await localTls(t)
    const store = join(folder, 'trust.p12')
    const into = ['-keystore', store, '-storepass', 'changeit']
    execFileSync(
      'keytool',
      ['-importcert', '-noprompt', '-alias', 'trent', '-file', authority, ...into],
      {
        stdio: 'pipe',
      },
    )
    const trust = `-Djavax.net.ssl.trustStore='${store}' -Djavax.net.ssl.trustStorePassword=changeit`
    const program = `-cp '${java.folder}/classes:${java.folder}/lib/*' RoundTrip`
    await roundTrip(t, java, `java ${trust} ${program}`, 'Java', settings)
    await refusesUnknown(t, java, `java ${program}`, settings)
  },
)
