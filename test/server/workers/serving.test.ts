/** A server with two workers: whichever a connection has come to, it is one server. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateRandomCommand,
  GetKeyLastUsageCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  TagResourceCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { proveJournal } from '../../../src/audit/verify/prove-journal.ts'
import { readRecords } from '../../../src/audit/journal/read-records.ts'
import { accountId } from '../../harness.ts'
import { makeKey, refused } from '../../compat/sdk.ts'
import { advance } from '../../compat/test-clock.ts'
import { manyCallers, oneConnection, type ManyCallers } from './many.ts'

const Plaintext = Buffer.from('x')

/** How many records each stream holds. */
async function recordsByStream({ server }: ManyCallers): Promise<readonly number[]> {
  const { whole, breaks, streams } = await proveJournal(join(server.directory, 'journal'))
  assert.deepEqual({ whole, breaks }, { whole: true, breaks: [] })
  return streams.map(({ records }) => records)
}

test('what one worker has acknowledged the next request of any other sees, under load', async (t) => {
  const many = await manyCallers(t)
  const { server, clients, next } = many
  const over = new AbortController()
  const loaded = await makeKey(server.client())
  const load = clients.map(async () => {
    const kms = server.client({ requestHandler: oneConnection() })
    while (!over.signal.aborted)
      await kms.send(new EncryptCommand({ KeyId: loaded.keyId, Plaintext }))
  })
  const write = async (kms: KMSClient, index: number): Promise<void> => {
    const { keyId: KeyId, arn } = await makeKey(kms)
    const reader = next(index)
    for (let turn = 0; turn < 5; turn += 1) {
      const Description = `turn ${turn}`
      await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description }))
      const { KeyMetadata } = await reader.send(new DescribeKeyCommand({ KeyId }))
      assert.equal(KeyMetadata?.Description, Description)
      await reader.send(new DisableKeyCommand({ KeyId }))
      await refused(
        kms.send(new EncryptCommand({ KeyId, Plaintext })),
        'DisabledException',
        `${arn} is disabled.`,
      )
      await kms.send(new EnableKeyCommand({ KeyId }))
      await reader.send(new EncryptCommand({ KeyId, Plaintext }))
      const AliasName = `alias/${index}/${turn}`
      await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
      const { CiphertextBlob } = await reader.send(
        new EncryptCommand({ KeyId: AliasName, Plaintext }),
      )
      await kms.send(new DecryptCommand({ CiphertextBlob }))
    }
    const Statement = [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: ['kms:PutKeyPolicy', 'kms:DescribeKey'],
        Resource: '*',
      },
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    await assert.rejects(reader.send(new EncryptCommand({ KeyId, Plaintext })), {
      name: 'AccessDeniedException',
    })
  }
  try {
    await Promise.all(clients.map(write))
  } finally {
    over.abort()
  }
  await Promise.all(load)
  const records = await recordsByStream(many)
  assert.equal(records.length, 2)
  assert.ok(
    records.every((count) => count > 100),
    `both have served: ${records.join(', ')}`,
  )
})

test('a crowd at one key is served, whichever workers its callers are at', async (t) => {
  const { server, clients } = await manyCallers(t)
  const { keyId: KeyId } = await makeKey(server.client())
  const tagged = clients.flatMap((kms, index) =>
    Array.from({ length: 3 }, (_, turn) =>
      kms.send(
        new TagResourceCommand({
          KeyId,
          Tags: [{ TagKey: `tag ${index} ${turn}`, TagValue: 'x' }],
        }),
      ),
    ),
  )
  await Promise.all(tagged)
})

test('a quota is of the account, not of a worker', async (t) => {
  const { clients } = await manyCallers(t, {
    TRENT_QUOTAS: 'aws',
    // A request in a thousand seconds comes back: none within this test.
    TRENT_QUOTA_OVERRIDES: 'cryptographic-symmetric=0.001',
  })
  const made = await Promise.allSettled(
    clients.map((kms) => kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))),
  )
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
  const codes = made.flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as Error).name] : [],
  )
  assert.deepEqual(new Set(codes), new Set(['ThrottlingException']))
})

test('the clock of tests is one, and so are faults and how often they strike', async (t) => {
  const { server, clients } = await manyCallers(t)
  const { keyId: KeyId } = await makeKey(server.client())
  const before = Date.now()
  await advance(server.url, '30d')
  const made = await Promise.all(clients.map((kms) => kms.send(new CreateKeyCommand({}))))
  for (const { KeyMetadata } of made) {
    assert.ok(Number(KeyMetadata?.CreationDate) >= before + 30 * 86_400_000)
  }
  const faults = [{ operations: ['Encrypt'], error: 'DependencyTimeoutException', count: 5 }]
  await fetch(`${server.url}/_trent/test/faults`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ faults }),
  })
  const encrypted = await Promise.allSettled(
    clients.map((kms) => kms.send(new EncryptCommand({ KeyId, Plaintext }))),
  )
  const names = encrypted.flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as Error).name] : [],
  )
  assert.deepEqual(names, Array(5).fill('DependencyTimeoutException'))
  await Promise.all(clients.map((kms) => kms.send(new EncryptCommand({ KeyId, Plaintext }))))
  const reset = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }
  await fetch(`${server.url}/_trent/test/reset`, reset)
  const after = await Promise.allSettled(
    clients.map((kms) => kms.send(new EncryptCommand({ KeyId, Plaintext }))),
  )
  assert.ok(after.every(({ status }) => status === 'rejected'))
})

test('a use is the last one for every worker at once', async (t) => {
  const { server, clients, next } = await manyCallers(t)
  const { keyId: KeyId } = await makeKey(server.client())
  for (const [index, kms] of clients.entries()) {
    const { $metadata } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const last = await next(index).send(new GetKeyLastUsageCommand({ KeyId }))
    assert.equal(last.KeyLastUsage?.KmsRequestId, $metadata.requestId)
  }
})

test('/metrics tells the sum, whichever worker is asked, and /readyz answers for all', async (t) => {
  const { server, clients } = await manyCallers(t)
  const { keyId: KeyId } = await makeKey(server.client())
  await Promise.all(clients.map((kms) => kms.send(new EncryptCommand({ KeyId, Plaintext }))))
  for (let asked = 0; asked < 8; asked += 1) {
    const headers = { connection: 'close' }
    const text = await (await fetch(`${server.url}/metrics`, { headers })).text()
    const of = (name: string): string | undefined =>
      text.split('\n').find((line) => line.startsWith(`${name} `))
    const encrypted = 'trent_requests_total{service="kms",operation="Encrypt",outcome="success"}'
    assert.equal(of(encrypted), `${encrypted} ${clients.length}`)
    assert.equal(of('trent_keys{state="Enabled"}'), 'trent_keys{state="Enabled"} 1')
    assert.equal(of('trent_journal_healthy'), 'trent_journal_healthy 1')
    assert.equal(of('trent_sealed'), 'trent_sealed 0')
    const ready = await fetch(`${server.url}/readyz`, { headers })
    assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ready' }])
    const nowhere = await fetch(`${server.url}/nowhere`, { headers })
    assert.equal(nowhere.status, 404)
  }
})

test('a stop answers all that is in flight, and each record is there once', async (t) => {
  const many = await manyCallers(t)
  const { server, clients } = many
  const { keyId: KeyId } = await makeKey(server.client())
  const answered: string[] = []
  const calls = clients.map(async (kms) => {
    for (;;) {
      const { $metadata } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
      answered.push($metadata.requestId ?? '')
    }
  })
  const ended = Promise.allSettled(calls)
  while (answered.length < 300) await new Promise((resolve) => setTimeout(resolve, 5))
  await server.server.stop()
  for (const each of await ended) {
    assert.ok(each.status === 'rejected')
    // Nobody was told of a failure: connections are closed, and no longer opened.
    assert.equal(
      (each.reason as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode,
      undefined,
    )
  }
  const told: string[] = []
  await readRecords(join(server.directory, 'journal'), (text) => {
    told.push((JSON.parse(text) as { requestID: string }).requestID)
  })
  for (const requestId of answered) {
    assert.equal(told.filter((each) => each === requestId).length, 1)
  }
  const { whole, unanchored } = await proveJournal(join(server.directory, 'journal'))
  assert.deepEqual({ whole, unanchored }, { whole: true, unanchored: 0 })
})
