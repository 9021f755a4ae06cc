/** Queues of slow work are fair: a flood of one user is that user's own affair. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateKeyCommand,
  GenerateDataKeyPairCommand,
  GetParametersForImportCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { credentials } from '../harness.ts'
import { startWithTwoAccounts } from './accounts.ts'
import { documentOf } from './identities.ts'
import { makeKey } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())

interface Flood {
  /** How many of its calls have been answered, and how many refused. */
  readonly counts: { answered: number; throttled: number }
  readonly end: () => Promise<void>
}

/** More pairs than the queue has places, all at once, of one user. */
async function flood(newClient: () => KMSClient): Promise<Flood> {
  // A client of the SDK has 50 connections at most.
  const clients = Array.from({ length: 4 }, newClient)
  const [first] = clients
  assert(first)
  const { keyId: KeyId } = await makeKey(first)
  const ending = new AbortController()
  const counts = { answered: 0, throttled: 0 }
  const pair = new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'RSA_4096' })
  const full = Promise.withResolvers<void>()
  const calls = Array.from({ length: 140 }, async (_, index) => {
    try {
      const kms = clients[index % clients.length] ?? first
      await kms.send(pair, { abortSignal: ending.signal })
      counts.answered += 1
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ThrottlingException')) return
      counts.throttled += 1
      full.resolve()
    }
  })
  await full.promise
  return {
    counts,
    async end() {
      ending.abort()
      await Promise.all(calls)
    },
  }
}

/** Calls that queue beside the flood, one after another; none of them is tried again. */
async function served(kms: KMSClient): Promise<void> {
  const { keyId: KeyId } = await makeKey(kms)
  await kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'RSA_2048' }))
  await kms.send(new CreateKeyCommand({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }))
  const made = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const
  await kms.send(new GetParametersForImportCommand({ KeyId: made.KeyMetadata?.KeyId, ...wrapping }))
}

test('another account’s calls are served while one account fills the queue', async () => {
  const { counts, end } = await flood(() => server.client())
  const before = counts.answered
  await served(server.otherClient())
  // Each of the three waited for what ran, and for one more that had its turn.
  assert(counts.answered - before <= 12, `${counts.answered - before} of the flood came first`)
  await end()
})

test('and another user’s of the same account', async () => {
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  await iam.send(new CreateUserCommand({ UserName: 'flooding' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'flooding' }))
  const PolicyDocument = documentOf({ Action: 'kms:*' })
  const put = { UserName: 'flooding', PolicyName: 'own', PolicyDocument }
  await iam.send(new PutUserPolicyCommand(put))
  iam.destroy()
  assert(AccessKey?.AccessKeyId && AccessKey.SecretAccessKey)
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = AccessKey
  const user = { credentials: { accessKeyId, secretAccessKey } }
  const { counts, end } = await flood(() => server.client(user))
  const before = counts.answered
  await served(server.client())
  assert(counts.answered - before <= 12, `${counts.answered - before} of the flood came first`)
  await end()
})
