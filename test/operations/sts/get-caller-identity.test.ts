/** GetCallerIdentity through the official SDK and the AWS CLI, and what the Query protocol refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DecodeAuthorizationMessageCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { pythonClients } from '../../compat/python-clients.ts'
import { openWorkplace } from '../../compat/workplace.ts'
import { accountId, credentials, startTestServer } from '../../harness.ts'

const clients = await pythonClients()
const root = { UserId: accountId, Account: accountId, Arn: `arn:aws:iam::${accountId}:root` }

function refusedWith(name: string, status: number) {
  return (error: Error & { $metadata?: { httpStatusCode?: number } }): boolean => {
    assert.deepEqual([error.name, error.$metadata?.httpStatusCode], [name, status])
    return true
  }
}

test('the SDK learns who it is, in any Region of the table', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const { url } = server
  for (const region of ['us-east-1', 'us-west-2']) {
    const sts = new STSClient({ region, endpoint: url, credentials, maxAttempts: 1 })
    const { $metadata, ...identity } = await sts.send(new GetCallerIdentityCommand({}))
    assert.deepEqual(identity, root)
    assert.ok($metadata.requestId)
    const unknown = sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'x' }))
    await assert.rejects(unknown, refusedWith('InvalidAction', 400))
    sts.destroy()
  }
})

test('a wrong secret, an unknown key and a missing signature are refused in the words of STS', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const { url } = server
  const ask = async (given: { accessKeyId: string; secretAccessKey: string }): Promise<unknown> => {
    const sts = new STSClient({
      region: 'us-east-1',
      endpoint: url,
      credentials: given,
      maxAttempts: 1,
    })
    return sts.send(new GetCallerIdentityCommand({})).finally(() => sts.destroy())
  }
  await assert.rejects(
    ask({ ...credentials, secretAccessKey: 'wrong' }),
    refusedWith('SignatureDoesNotMatch', 403),
  )
  await assert.rejects(
    ask({ ...credentials, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }),
    refusedWith('InvalidClientTokenId', 403),
  )
  const unsigned = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' }),
  })
  assert.equal(unsigned.status, 403)
  assert.match(await unsigned.text(), /<Code>MissingAuthenticationToken<\/Code>/)
})

test('the AWS CLI learns who it is', { skip: clients.skip }, async (t) => {
  const { json } = await openWorkplace(t, clients)
  assert.deepEqual(await json('aws sts get-caller-identity'), root)
})
