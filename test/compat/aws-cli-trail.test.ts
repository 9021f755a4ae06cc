/** `aws cloudtrail` as its users run it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

test(
  'aws cloudtrail lookup-events finds who used a key, and trails are refused without a bucket',
  { skip },
  async (t) => {
    const { json, print, shell, newKey } = await openWorkplace(t, clients)
    const KeyId = await newKey()
    await print(`aws kms encrypt --key-id ${KeyId} --plaintext eA== --encryption-context order=7`)
    const named = `$(aws kms describe-key --key-id ${KeyId} --query KeyMetadata.Arn --output text)`
    const look =
      'aws cloudtrail lookup-events --lookup-attributes ' +
      `AttributeKey=ResourceName,AttributeValue=${named} --max-items 10`
    const deadline = performance.now() + 20_000
    let found: { readonly Events: readonly Readonly<Record<string, unknown>>[] }
    do {
      found = (await json(look)) as typeof found
      assert(performance.now() < deadline)
    } while (!found.Events.some(({ EventName }) => EventName === 'Encrypt'))
    const event = found.Events.find(({ EventName }) => EventName === 'Encrypt')
    const record = JSON.parse(String(event?.['CloudTrailEvent'])) as {
      readonly requestParameters: object
      readonly userAgent: string
    }
    assert.deepEqual(record.requestParameters, {
      keyId: KeyId,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: { order: '7' },
    })
    assert.match(record.userAgent, /aws-cli/)
    assert.deepEqual(await json('aws cloudtrail describe-trails'), { trailList: [] })
    const made = await shell('aws cloudtrail create-trail --name logs --s3-bucket-name not-there')
    assert.match(
      made.stderr,
      /\(S3BucketDoesNotExistException\).*S3 bucket not-there does not exist!/,
    )
    const status = await shell('aws cloudtrail get-trail-status --name logs')
    assert.match(status.stderr, /\(TrailNotFoundException\).*Unknown trail: logs for the user/)
    const wrong = await shell(
      'aws cloudtrail lookup-events --end-time 2001-01-01 --start-time 2002-01-01',
    )
    assert.match(wrong.stderr, /\(InvalidTimeRangeException\)/)
  },
)
