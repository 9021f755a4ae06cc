/**
 * Measures Encrypt and Decrypt under a built-in key, a key in an external key store and a key in an HSM, in
 * alternating rounds of the same run. Another Trent is the proxy of the external key store; what a call costs there
 * is a row of its own. `node bench/key-stores.ts [library of SoftHSM2] [its softhsm2-util]`: without the two, the
 * HSM is left out. The limit of 250 ms for an answer of a proxy is lifted.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { callOperator } from '../src/operator/client.ts'
import type { CreatedXksProxy } from '../src/operations/trent/create-xks-proxy.ts'
import { makeAuthority, makeServerCertificate, type MadePair } from '../src/tls/make.ts'
import { clientsOf, newKey } from './data.ts'
import { closedLoop, eachOf } from './load.ts'
import { figures, inRounds, warmUp, type Contender, type Total } from './measure.ts'
import { makeHsm, makeKeyIn, written, type Outside } from './outside.ts'
import { accountId, makeDirectory, region, root, startTrent, type Server } from './servers.ts'
import { createSigner, signedRequest } from './sign.ts'
import { print, tableHead, tableLine } from './table.ts'
import { mainTime, readUsage, usageBetween } from './usage.ts'

const [library, tool] = process.argv.slice(2)
const requests = 1500
const rounds = 4
const connections = 4
const warming = 3000

const host = 'xks.example.com'
const EncryptionContext = { purpose: 'bench' }

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Starts the other Trent, with one key for the external key store. */
async function startProxy(
  directory: string,
  authority: MadePair,
): Promise<Outside & { readonly server: Server }> {
  const [names, now, port] = [[host], Date.now(), await freePort()]
  const { cert, key } = await makeServerCertificate({ authority, names, days: 1, now })
  const data = join(directory, 'proxy')
  const server = await startTrent(data, {
    TRENT_XKS_PROXY_LISTEN: `127.0.0.1:${port}`,
    TRENT_XKS_PROXY_TLS_CERT: written(directory, 'proxy.pem', cert),
    TRENT_XKS_PROXY_TLS_KEY: written(directory, 'proxy-key.pem', key),
    TRENT_QUOTA_OVERRIDES: 'kms-xks-proxy=100000',
  })
  const { kms, iam } = clientsOf(server)
  const keyId = await newKey(kms)
  kms.destroy()
  iam.destroy()
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const given = { name: 'bench', accountId, region, keys }
  const { configuration } = (await callOperator(data, 'CreateXksProxy', given)) as CreatedXksProxy
  return {
    server,
    settings: {
      TRENT_XKS_ENDPOINTS: `${host}=127.0.0.1:${port}`,
      TRENT_XKS_CA: written(directory, 'authority.pem', authority.cert),
    },
    store: {
      CustomKeyStoreName: 'external',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyUriEndpoint: `https://${host}`,
      XksProxyConnectivity: 'PUBLIC_ENDPOINT',
      ...configuration,
    },
    key: { Origin: 'EXTERNAL_KEY_STORE', XksKeyId: keyId },
  }
}

type Operation = 'Encrypt' | 'Decrypt'

async function contenderOf(
  server: Server,
  kms: KMSClient,
  of: { readonly name: string; readonly KeyId: string; readonly operation: Operation },
): Promise<Contender> {
  const { name, KeyId, operation } = of
  const { accessKeyId, secretAccessKey } = root
  const signer = createSigner(`127.0.0.1:${server.port}`, region, accessKeyId, secretAccessKey)
  const encrypt = new EncryptCommand({ KeyId, Plaintext: randomBytes(32), EncryptionContext })
  const { CiphertextBlob = new Uint8Array() } = await kms.send(encrypt)
  const blob = Buffer.from(CiphertextBlob).toString('base64')
  let serial = 0
  // A member that AWS ignores makes every request different.
  const input = (): object =>
    operation === 'Encrypt'
      ? { KeyId, Plaintext: randomBytes(32).toString('base64'), EncryptionContext }
      : { CiphertextBlob: blob, EncryptionContext, Serial: (serial += 1) }
  const made = (count: number): Buffer[] =>
    Array.from({ length: count }, () => signedRequest(signer, operation, input()))
  const bounds = { connections, least: warming, always: 1, most: requests, seconds: Infinity }
  await warmUp(server, made, bounds)
  return { name, server, requests: made, ofRound: requests }
}

async function measure(
  server: Server,
  proxy: Server,
  keys: ReadonlyMap<string, string>,
): Promise<void> {
  const { kms, iam } = clientsOf(server)
  for (const operation of ['Encrypt', 'Decrypt'] as const) {
    const contenders: Contender[] = []
    for (const [name, KeyId] of keys) {
      contenders.push(await contenderOf(server, kms, { name, KeyId, operation }))
    }
    // Only the external key calls the proxy.
    const before = readUsage(proxy.pid)
    const totals = await inRounds(contenders, rounds, ({ port }, fresh) =>
      closedLoop(port, eachOf(fresh), connections),
    )
    const usage = usageBetween(before, readUsage(proxy.pid))
    let atProxy: Total | undefined
    for (const [{ name }, total] of totals) {
      if (name === 'external') atProxy = { ...total, usage }
      const row = { case: operation, server: name, load: 'closed', ...figures(server, total) }
      print(tableLine(row))
    }
    const calls = atProxy?.requests ?? NaN
    const micros = (nanoseconds: number): number => nanoseconds / calls / 1000
    const costs = { 'main µs': micros(mainTime(usage) ?? NaN), 'process µs': micros(usage.process) }
    print(tableLine({ case: operation, server: 'its proxy', load: 'closed', ...costs }))
  }
  kms.destroy()
  iam.destroy()
}

const directory = makeDirectory()
const authority = await makeAuthority(Date.now())
const { server: proxy, ...external } = await startProxy(directory, authority)
const hsm =
  library === undefined || tool === undefined
    ? undefined
    : makeHsm(directory, authority, { library, tool })
const settings = {
  ...external.settings,
  ...hsm?.settings,
  TRENT_QUOTA_OVERRIDES: 'custom-key-store=100000',
}
// Without it, a proxy that needs more than 250 ms on a busy machine would end the run.
const patient = new URL('../test/keystores/external/patient.ts', import.meta.url)
const server = await startTrent(join(directory, 'data'), settings, [`--import=${patient.href}`])
const { kms, iam } = clientsOf(server)
const keys = new Map([
  ['built-in', await newKey(kms)],
  ['external', await makeKeyIn(kms, external)],
])
if (hsm !== undefined) keys.set('HSM', await makeKeyIn(kms, hsm))
kms.destroy()
iam.destroy()
print(tableHead())
await measure(server, proxy, keys)
await server.stop()
await proxy.stop()
