/**
 * The commands for external key stores, as `docs/custom-key-stores.md` prints them, between two Trents: one
 * has the KMS keys, the other is its proxy. Only ids and credentials are replaced.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptCommand } from '@aws-sdk/client-kms'
import type { RotatedCredential } from '../../src/operations/trent/rotate-xks-proxy-credential.ts'
import type { ProxyConfiguration } from '../../src/operations/trent/served-proxies.ts'
import { accountId, region } from '../harness.ts'
import { proxyHost } from '../keystores/external/fake-proxy.ts'
import { letProxiesBeLate } from '../keystores/external/patience.ts'
import { temporaryFolder } from '../store/engines.ts'
import { connect, entryOf, makeExternalKey, settled } from './external-store.ts'
import { pythonClients } from './python-clients.ts'
import { makeKey } from './sdk.ts'
import { startServedProxy } from './served-proxy.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const skip = clients.skip || whyNoJq()

function whyNoJq(): string | false {
  try {
    execFileSync('jq', ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'jq is not installed'
  }
}

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/custom-key-stores.md'), 'utf8')
const [, aboutExternal = ''] = page.split('\n# External key stores\n')

/** The commands of the page that have this text, with every other text replaced. */
function documented(text: string, replacements: Readonly<Record<string, string>> = {}): string {
  const blocks = aboutExternal.match(/(?:^ {4,}\S.*\n)+/gm) ?? []
  const [block, ...more] = blocks.filter((each) => each.includes(text))
  assert.ok(block !== undefined && more.length === 0, `the page has one block with ${text}`)
  let script = block
  for (const [printed, given] of Object.entries(replacements)) {
    assert.ok(script.includes(printed), `${text}: the page prints ${printed}`)
    script = script.replaceAll(printed, given)
  }
  return script
}

test(
  'guide: an external key store with Trent as its proxy, and new credentials',
  { skip },
  async (t) => {
    letProxiesBeLate(t)
    const outside = await startServedProxy(t)
    const authority = join(temporaryFolder(t), 'proxy.pem')
    writeFileSync(authority, outside.authority)
    const inner = await openWorkplace(t, clients, {
      TRENT_XKS_ENDPOINTS: `${proxyHost}=127.0.0.1:${outside.port}`,
      TRENT_XKS_CA: authority,
      TRENT_TEST_API: 'on',
    })
    const { client: kms, server } = inner
    const world = { kms, server }
    /** The operator of the proxy, who has the commands of Trent there. */
    const operator = [
      `npx() { shift; TRENT_DATA_DIR='${outside.server.directory}' \\`,
      `  TRENT_OPERATOR_DIR='${outside.operatorDirectory}' \\`,
      `  TRENT_ACCOUNT_ID=${accountId} TRENT_REGION=${region} \\`,
      `  '${process.execPath}' '${root}/src/main.ts' "$@"; }\n`,
    ].join('\n')
    /** The commands of Trent say on stderr what they have done. */
    const printBy = async (script: string, says: string): Promise<string> => {
      const { status, stdout, stderr } = await inner.shell(operator + script)
      assert.equal(status, 0, stderr)
      assert.ok(stderr.includes(says), stderr)
      return stdout
    }
    const storeIdOf = (made: unknown): string =>
      (made as { readonly CustomKeyStoreId: string }).CustomKeyStoreId
    const secretOf = ({
      XksProxyAuthenticationCredential: { AccessKeyId, RawSecretAccessKey },
    }: ProxyConfiguration): string =>
      `AccessKeyId=${AccessKeyId},RawSecretAccessKey=${RawSecretAccessKey}`

    // With a proxy of anybody: what it says is typed in.
    const { keyId: externalKey } = await makeKey(outside.kms)
    const keys = [{ keyId: externalKey, usages: ['ENCRYPT', 'DECRYPT'] }]
    const { configuration, proxyId } = await outside.createProxy('typed', { keys })
    await inner.print('aws configure set cli_follow_urlparam false')
    const created = await inner.json(
      documented('--custom-key-store-name external', {
        '/example/kms/xks/v1': configuration.XksProxyUriPath,
        'AccessKeyId=ABCDEFGHIJKLMNOPQRST,RawSecretAccessKey=…': secretOf(configuration),
      }),
    )
    const printedId = 'cks-1234567890abcdef0'
    const ids = { [printedId]: storeIdOf(created) }
    const shown = await inner.json(documented('aws kms connect-custom-key-store', ids))
    const [entry] = (shown as { readonly CustomKeyStores: readonly Record<string, unknown>[] })
      .CustomKeyStores
    assert.match(String(entry?.['ConnectionState']), /^CONNECT(ING|ED)$/)
    assert.equal((await settled(world, storeIdOf(created))).ConnectionState, 'CONNECTED')
    const { KeyMetadata } = (await inner.json(
      documented('--xks-key-id my-external-key', { ...ids, 'my-external-key': externalKey }),
    )) as { readonly KeyMetadata: Readonly<Record<string, unknown>> }
    const { KeyId, Origin, CustomKeyStoreId, XksKeyConfiguration, KeyState } = KeyMetadata
    assert.deepEqual(
      [Origin, CustomKeyStoreId, XksKeyConfiguration, KeyState],
      ['EXTERNAL_KEY_STORE', storeIdOf(created), { Id: externalKey }, 'Enabled'],
    )
    await inner.write('secret.txt', 'no proxy sees this')
    const opened = await inner.print(`
    aws kms encrypt --key-id ${String(KeyId)} --plaintext fileb://secret.txt \\
      --output text --query CiphertextBlob | base64 --decode > sealed
    aws kms decrypt --ciphertext-blob fileb://sealed \\
      --output text --query Plaintext | base64 --decode`)
    assert.equal(opened, 'no proxy sees this')
    const decrypts = (): Promise<unknown> =>
      kms.send(new DecryptCommand({ CiphertextBlob: readFileSync(join(inner.folder, 'sealed')) }))

    // Another credential: first for the proxy, then for Trent, and the old one ends.
    const rotated = (await outside.operate('RotateXksProxyCredential', {
      proxyId,
    })) as RotatedCredential
    const change = documented('--xks-proxy-authentication-credential AccessKeyId=…', {
      ...ids,
      'AccessKeyId=…,RawSecretAccessKey=…': secretOf(rotated.configuration),
    })
    assert.equal(await inner.print(change), '')
    const { AccessKeyId: typed } = configuration.XksProxyAuthenticationCredential
    await outside.operate('RevokeXksProxy', { proxyId, accessKeyId: typed })
    await decrypts()

    // With Trent as the proxy: its file says it.
    const made = documented('npx trent xks-proxy create aws')
    const key = await printBy(
      `export AWS_ENDPOINT_URL='${outside.server.url}'\n${made}printf %s "$key"`,
      `keeps keys of ${accountId} in ${region}.`,
    )
    const proxyFile = (): ProxyConfiguration =>
      JSON.parse(readFileSync(join(inner.folder, 'proxy.json'), 'utf8')) as ProxyConfiguration
    const first = proxyFile()
    const filed = storeIdOf(await inner.json(documented('--custom-key-store-name trent')))
    const [, filedProxy = ''] = first.XksProxyUriPath.split('/')
    const old = first.XksProxyAuthenticationCredential.AccessKeyId
    const rotation = documented('npx trent xks-proxy rotate-credential', {
      [printedId]: filed,
      'xks-0123456789abcdef0': filedProxy,
      OLD: old,
    })
    await printBy(rotation, `then revoke ${old}.`)
    const present = proxyFile().XksProxyAuthenticationCredential.AccessKeyId
    assert.notEqual(present, old)
    const { XksProxyConfiguration } = await entryOf(kms, filed)
    assert.equal(XksProxyConfiguration?.AccessKeyId, present)
    assert.equal(XksProxyConfiguration.UriPath, first.XksProxyUriPath)
    // The old credential is dead, so this is the new one.
    assert.equal(await connect(world, filed), 'CONNECTED')
    await makeExternalKey(kms, filed, key)
  },
)
