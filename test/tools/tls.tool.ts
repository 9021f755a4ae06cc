/** The AWS SDKs for Go and Java over TLS, with the authority of `trent certificate`. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { recordsOf } from '../compat/records.ts'
import { openTlsWorkplace, type TlsWorkplace } from '../compat/tls-workplace.ts'
import type { Tool } from './installed.ts'
import { programsIn } from './programs.ts'
import { makeKeys, requireResults } from './round-trip.ts'

const go = await programsIn('go')
const java = await programsIn('java')

interface Trusting extends TlsWorkplace {
  /** The keys that the programs take. */
  readonly keys: string
  /** What a call that must succeed did, and the version of TLS that the server saw. */
  readonly versionOf: (call: string, language: string) => Promise<unknown>
}

async function opened(t: TestContext, tool: Tool): Promise<Trusting> {
  const workplace = await openTlsWorkplace(t, tool)
  return {
    ...workplace,
    keys: await makeKeys(workplace),
    async versionOf(call, language) {
      requireResults(await workplace.print(call), language)
      const records = await recordsOf(workplace.server.directory)
      const last = records.findLast(({ eventName }) => eventName === 'Encrypt')
      return (last as { readonly tlsDetails?: { readonly tlsVersion: string } }).tlsDetails
        ?.tlsVersion
    },
  }
}

test(
  'the SDK for Go trusts the authority of SSL_CERT_FILE or AWS_CA_BUNDLE, and nothing without them',
  { skip: go.skip },
  async (t) => {
    const { ca, keys, shell, versionOf } = await opened(t, go)
    const call = `round-trip ${keys}`
    assert.equal(await versionOf(`SSL_CERT_FILE='${ca}' ${call}`, 'Go'), 'TLSv1.3')
    assert.equal(await versionOf(`SSL_CERT_FILE='${ca}' ${call} tls1.2`, 'Go'), 'TLSv1.2')
    assert.equal(await versionOf(`AWS_CA_BUNDLE='${ca}' ${call}`, 'Go'), 'TLSv1.3')
    const { status, stdout, stderr } = await shell(call)
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /x509: certificate signed by unknown authority/)
  },
)

test(
  'the SDK for Java trusts the authority of a trust store, and nothing without it',
  { skip: java.skip },
  async (t) => {
    const { ca, keys, shell, versionOf } = await opened(t, java)
    const made = await shell(
      `keytool -importcert -noprompt -alias trent -file '${ca}' -keystore trust.p12 -storepass changeit`,
    )
    assert.equal(made.status, 0, made.stderr)
    const program = `-cp '${java.folder}/classes:${java.folder}/lib/*' RoundTrip ${keys}`
    const trusting =
      'java -Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=changeit'
    assert.equal(await versionOf(`${trusting} ${program}`, 'Java'), 'TLSv1.3')
    const limit = '-Djdk.tls.client.protocols=TLSv1.2'
    assert.equal(await versionOf(`${trusting} ${limit} ${program}`, 'Java'), 'TLSv1.2')
    const { status, stdout, stderr } = await shell(`java ${program}`)
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /unable to find valid certification path to requested target/)
  },
)
