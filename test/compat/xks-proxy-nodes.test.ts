/** XKS proxies that two nodes serve: either one answers for both, and a change on one counts on the other. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import type { RotatedCredential } from '../../src/operations/trent/rotate-xks-proxy-credential.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import {
  callProxy,
  decryptBody,
  encryptBody,
  failed,
  startServedProxy,
  type ProxyAnswer,
  type ServedProxyWorld,
} from './served-proxy.ts'

const [version = 0] = testedVersions
const healthBody = {
  requestMetadata: { kmsRequestId: 'request', kmsOperation: 'KmsHealthCheck' },
}

/** Asks until the answer is as expected: a node hears of a change a moment later. */
async function until<T>(ask: () => Promise<T>, isExpected: (answer: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (isExpected(answer)) return answer
    assert.ok(performance.now() < giveUpAt, JSON.stringify(answer))
    await sleep(20)
  }
}

async function shareProxy(a: ServedProxyWorld, b: ServedProxyWorld): Promise<void> {
  const { keyId } = await makeKey(a.kms)
  const both = { keyId, usages: ['ENCRYPT', 'DECRYPT'] }
  const first = await a.createProxy('shared', { keys: [both] })
  const { proxyId } = first
  const encrypt = (node: ServedProxyWorld, by: typeof first | RotatedCredential) => () =>
    callProxy(node, by, `keys/${keyId}/encrypt`, encryptBody)
  const answers = (
    node: ServedProxyWorld,
    by: typeof first | RotatedCredential,
    ...of: unknown[]
  ) =>
    until(encrypt(node, by), (answer) => {
      const found = answer.status === 200 ? [200] : failed(answer)
      return JSON.stringify(found) === JSON.stringify(of)
    })
  const decrypts = async (node: ServedProxyWorld, { body }: ProxyAnswer, by: typeof first) => {
    const opened = await callProxy(node, by, `keys/${keyId}/decrypt`, decryptBody(body))
    assert.deepEqual(opened, { status: 200, body: { plaintext: encryptBody.plaintext } })
  }
  const [onA, onB] = [await answers(a, first, 200), await answers(b, first, 200)]
  await decrypts(b, onA, first)
  await decrypts(a, onB, first)
  const fleet = async (node: ServedProxyWorld): Promise<unknown> => {
    const { body } = await callProxy(node, first, 'health', healthBody)
    const { xksProxyFleetSize, ekmFleetDetails = [] } = body as {
      readonly xksProxyFleetSize: number
      readonly ekmFleetDetails?: readonly { readonly healthStatus: string }[]
    }
    return [xksProxyFleetSize, ekmFleetDetails.map(({ healthStatus }) => healthStatus)]
  }
  for (const node of [a, b]) assert.deepEqual(await fleet(node), [2, ['ACTIVE', 'ACTIVE']])

  // Credentials, exports and states that one node changes count on the other.
  const fresh = (await b.operate('RotateXksProxyCredential', { proxyId })) as RotatedCredential
  await answers(a, fresh, 200)
  const [accessKeyId] = fresh.otherAccessKeyIds
  await a.operate('RevokeXksProxy', { proxyId, accessKeyId })
  await answers(b, first, 401, 'AuthenticationFailedException')
  await b.operate('ExportXksKey', { proxyId, keyId, usages: ['DECRYPT'] })
  await answers(a, fresh, 400, 'InvalidKeyUsageException')
  await a.operate('ExportXksKey', { proxyId, ...both })
  await answers(b, fresh, 200)
  await a.kms.send(new DisableKeyCommand({ KeyId: keyId }))
  await answers(b, fresh, 400, 'InvalidStateException')
  await b.kms.send(new EnableKeyCommand({ KeyId: keyId }))
  await answers(a, fresh, 200)

  // Each node has records of its own calls.
  for (const { server } of [a, b]) {
    const names = (await recordsOf(server.directory)).map(({ eventSource, eventName }) =>
      eventSource === 'kms-xks-proxy.amazonaws.com' ? eventName : '',
    )
    for (const name of ['Encrypt', 'Decrypt', 'GetHealthStatus']) assert(names.includes(name), name)
  }

  await a.server.server.stop()
  await decrypts(b, onA, { ...first, ...fresh })
  assert.equal((await callProxy(b, fresh, 'health', healthBody)).status, 200)
  await b.operate('RevokeXksProxy', { proxyId })
  await answers(b, fresh, 404, 'InvalidUriPathException')
}

test('two nodes serve one XKS proxy, and one of them alone goes on', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const seal = `file:${join(temporaryFolder(t), 'seal.key')}`
  const settings = { TRENT_DATABASE_URL: url, TRENT_SEAL: seal }
  const a = await startServedProxy(t, { settings })
  const b = await startServedProxy(t, { settings })
  try {
    await shareProxy(a, b)
  } finally {
    // Before the database goes.
    for (const { server } of [a, b]) await server.stop()
  }
})
