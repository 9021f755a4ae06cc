/** Every call of somebody known, allowed or refused, has just one record; nobody's has none. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { accountId, credentials, region, startTestServer } from '../harness.ts'
import { auditedCalls } from './audited-calls.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { makeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/
const root = `arn:aws:iam::${accountId}:root`
const Plaintext = Buffer.from('x')

/** The records that `run` leaves, and what it answers or throws. */
async function recorded(run: () => Promise<unknown>): Promise<readonly [AuditRecord[], unknown]> {
  const earlier = (await recordsOf(server.directory)).length
  const outcome = await run().catch((error: unknown) => error)
  return [(await recordsOf(server.directory)).slice(earlier), outcome]
}

async function onlyRecord(run: () => Promise<unknown>): Promise<readonly [AuditRecord, unknown]> {
  const [records, outcome] = await recorded(run)
  assert.equal(records.length, 1, JSON.stringify(records))
  const [record] = records
  assert(record)
  return [record, outcome]
}

function requestIdOf(outcome: unknown): unknown {
  return (outcome as { readonly $metadata?: { readonly requestId?: string } }).$metadata?.requestId
}

/** Changes whose record says nothing of an answer. */
const withoutResponse = new Set(['PutKeyPolicy', 'UpdateKeyDescription'])
/** By then the alias points to the other key. */
const movedTo = new Set(['UpdateAlias', 'DeleteAlias'])
test('every operation that is allowed leaves one record: who, what, which keys, and why', async () => {
  const [key, other] = [await makeKey(kms), await makeKey(kms)]
  const command = new EncryptCommand({ KeyId: key.keyId, Plaintext })
  const sealed = (await kms.send(command)).CiphertextBlob ?? Plaintext
  for (const { name, readOnly, run, parameters, about, material } of auditedCalls(kms)) {
    const [record, outcome] = await onlyRecord(() => run(key, other, sealed))
    assert(!(outcome instanceof Error), `${name}: ${String(outcome)}`)
    const { eventID, requestID, eventTime, userAgent, trent, responseElements, ...said } =
      record as AuditRecord & Record<string, unknown>
    assert.match(eventID, uuid)
    assert.equal(requestID, requestIdOf(outcome))
    assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.match(userAgent ?? '', /^aws-sdk-js\//)
    assert.deepEqual(said, {
      eventVersion: '1.11',
      userIdentity: {
        type: 'Root',
        principalId: accountId,
        arn: root,
        accountId,
        accessKeyId: credentials.accessKeyId,
      },
      eventSource: 'kms.amazonaws.com',
      eventName: name,
      awsRegion: region,
      sourceIPAddress: '127.0.0.1',
      requestParameters: parameters(key, other),
      ...(material && { additionalEventData: material(key, other) }),
      readOnly,
      resources: (about?.(key, other) ?? [key.arn]).map((ARN) => ({
        accountId,
        type: 'AWS::KMS::Key',
        ARN,
      })),
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: accountId,
      eventCategory: 'Management',
    })
    assert(trent.reasons.length > 0, `${name} has no reasons`)
    assert(
      trent.reasons.every(
        ({ action, effect }) => String(action).startsWith('kms:') && effect === 'allow',
      ),
    )
    if (readOnly || withoutResponse.has(name)) assert.equal(responseElements, null)
    else assert.equal(responseElements?.['keyId'], movedTo.has(name) ? other.arn : key.arn)
  }
})

test('CreateKey records the metadata of the key that it made', async () => {
  const [record, outcome] = await onlyRecord(() =>
    kms.send(new CreateKeyCommand({ Description: 'seen', Tags: [{ TagKey: 'K', TagValue: 'V' }] })),
  )
  const { KeyMetadata } = outcome as { readonly KeyMetadata?: { readonly KeyId?: string } }
  const { keyMetadata } = record.responseElements ?? {}
  assert.equal((keyMetadata as { readonly keyId?: string }).keyId, KeyMetadata?.KeyId)
  assert.deepEqual(record.requestParameters, {
    description: 'seen',
    tags: [{ tagKey: 'K', tagValue: 'V' }],
    keyUsage: 'ENCRYPT_DECRYPT',
    customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    keySpec: 'SYMMETRIC_DEFAULT',
    origin: 'AWS_KMS',
    bypassPolicyLockoutSafetyCheck: false,
  })
})
