/** The operator door: a socket of its own, for operations of its own. @module */
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { callOperator, OperatorCallFailed } from '../../src/operator/client.ts'
import { shortestPath } from '../../src/operator/socket-path.ts'
import { version } from '../../src/version.ts'
import { accountId, credentials, databaseUrlOf, region, startTestServer } from '../harness.ts'
import { withHeader } from '../authenticate/signer.ts'
import { operatorAs } from './own-operator.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { callByHand, send, signedCall } from './signed-http.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const { directory, port } = server
const socketPath = shortestPath(join(directory, 'operator.sock'))
const unknown = [400, '{"__type":"UnknownOperationException"}']

interface Status {
  readonly changes: number
  readonly refusedRequests: number
  readonly startedAt: string
  readonly journal: {
    readonly segment: number
    readonly keys: readonly string[]
    readonly checkpoint: { readonly text: string }
  }
  readonly clock: { readonly now: string }
  /** Of a server on PostgreSQL. */
  readonly node?: { readonly id: string; readonly replication: string }
}

test('the socket answers the status of the server', async () => {
  const status = (await callOperator(directory, 'GetStatus')) as Status
  const { changes, refusedRequests, startedAt, journal, clock, node, ...rest } = status
  const isNode = databaseUrlOf(directory) !== undefined
  assert.deepEqual(node, isNode ? { id: node?.id, replication: 'single' } : undefined)
  const ownStream = node === undefined ? 'worker-0' : `${node.id}-worker-0`
  const deleted = { gone: 0, shredded: 0, openedBySeals: [] }
  const same = {
    version,
    ready: true,
    sealed: false,
    seal: { kind: 'file', opensAlone: true, recovery: false, generation: 1 },
    region,
    accountId,
  }
  assert.deepEqual(rest, { ...same, deleted, deletedMaterials: deleted })
  assert.deepEqual(Object.keys(clock), ['now'])
  assert(Math.abs(Date.parse(clock.now) - Date.now()) < 600_000)
  assert(Number.isInteger(changes) && changes >= 1)
  assert.match(startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert(Math.abs(Date.parse(startedAt) - Date.now()) < 600_000)
  const { segment, keys, checkpoint, ...stream } = journal
  assert.match(keys.join(), /^[0-9a-f]{64}$/)
  const first = `"writer":"${ownStream}","sequence":1,`
  assert.match(checkpoint.text, new RegExp(`^\\{"checkpoint":1,"deployment":.*${first}`))
  assert.deepEqual(stream, { healthy: true, stream: ownStream })
  assert(Number.isInteger(segment))
  await makeKey(server.client())
  const forger = { ...credentials, secretAccessKey: 'of-somebody-else' }
  await assert.rejects(makeKey(server.client({ credentials: forger })))
  const later = (await callOperator(directory, 'GetStatus')) as Status
  assert.equal(later.changes, changes + 1)
  assert.equal(later.refusedRequests, refusedRequests + 1)
})

test('the socket is its owner’s alone', async () => {
  const { mode } = await stat(socketPath)
  assert.equal(mode & 0o777, 0o600)
})

test('an operator’s call leaves its record', async () => {
  const earlier = (await recordsOf(directory)).length
  await callOperator(directory, 'GetStatus')
  const [record, ...more] = (await recordsOf(directory)).slice(earlier)
  assert.equal(more.length, 0)
  assert.deepEqual(
    [record?.eventSource, record?.eventName, record?.readOnly, record?.errorCode],
    ['trent.amazonaws.com', 'GetStatus', true, undefined],
  )
  const { id: principalId, name: userName, loginName } = operatorAs()
  assert.deepEqual(record?.userIdentity, {
    type: 'Operator',
    principalId,
    arn: `arn:aws:trent::${accountId}:operator/${userName}`,
    accountId,
    userName,
    ...(loginName !== undefined && { sessionContext: { sourceIdentity: loginName } }),
  })
  assert.deepEqual(
    record?.trent.reasons.map(({ action, effect }) => [action, effect]),
    [['trent:GetStatus', 'allow']],
  )
})

test('what is not an operator’s is not on the socket: AWS’s operations, the test API, nonsense', async () => {
  for (const target of [
    'TrentService.ListKeys',
    'TrentService.CreateKey',
    'TrentService.GetStatus',
  ]) {
    const request = withHeader(await signedCall(port, 'ListKeys'), 'X-Amz-Target', target)
    const answer = await send({ socketPath }, request)
    assert.deepEqual([answer.status, answer.text], unknown, target)
  }
  const signed = await send({ socketPath }, await signedCall(port, 'ListKeys'))
  assert.deepEqual([signed.status, signed.text], unknown)
  for (const operation of ['ListKeys', 'GetTestClock', 'ResetTestData', 'NoSuch', 'constructor']) {
    await assert.rejects(callOperator(directory, operation), (error) => {
      assert(error instanceof OperatorCallFailed)
      assert.match(error.message, /UnknownOperationException/)
      return true
    })
  }
  const clock = { method: 'GET', target: '/_trent/test/clock', rawHeaders: ['Host', 'localhost'] }
  const answer = await send({ socketPath }, { ...clock, body: Buffer.alloc(0) })
  assert.deepEqual([answer.status, answer.text], unknown)
})

test('an operator’s operation is not on the public port, however it is asked for', async () => {
  for (const target of ['TrentOperator.GetStatus', 'TrentService.GetStatus', 'trent.GetStatus']) {
    const headers = { 'X-Amz-Target': target }
    for (const service of ['kms', 'trent']) {
      const answer = await callByHand(port, '', { headers, service })
      // A signature for `trent` is of a service that is not here, and the message says so.
      assert.equal(answer.status, 400, target)
      assert.match(answer.text, /^\{"__type":"UnknownOperationException"[,}]/, target)
    }
  }
})

test('two servers do not share a socket, and a stopped one leaves none', async () => {
  const other = await startTestServer()
  const first = (await callOperator(directory, 'GetStatus')) as Status
  const second = (await callOperator(other.directory, 'GetStatus')) as Status
  assert.notEqual(first.startedAt, second.startedAt)
  await other.stop('keep')
  await assert.rejects(stat(join(other.directory, 'operator.sock')), { code: 'ENOENT' })
  await assert.rejects(callOperator(other.directory, 'GetStatus'), OperatorCallFailed)
  await other.stop()
})
