/** `aws cloudtrail` as its users run it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    const deadline = performance.now() + 60_000
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

test(
  'aws cloudtrail makes a trail where the operator gives a bucket, tells of it, and ends it',
  { skip },
  async (t) => {
    const archive = await mkdtemp(join(tmpdir(), 'trent-archive-'))
    t.after(() => rm(archive, { recursive: true, force: true }))
    const { json, print, shell } = await openWorkplace(t, clients, { TRENT_AUDIT_DIR: archive })
    const trail = async (command: string): Promise<Readonly<Record<string, unknown>>> =>
      (await json(`aws cloudtrail ${command}`)) as Readonly<Record<string, unknown>>
    const made = await trail(
      'create-trail --name logs --s3-bucket-name trent-audit --s3-key-prefix app',
    )
    assert.match(String(made['TrailARN']), /^arn:aws:cloudtrail:us-west-2:\d{12}:trail\/logs$/)
    await print('aws cloudtrail start-logging --name logs')
    assert.equal((await trail('get-trail-status --name logs'))['IsLogging'], true)
    const selectors = `'[{"ExcludeManagementEventSources":["kms.amazonaws.com"]}]'`
    await trail(`put-event-selectors --trail-name logs --event-selectors ${selectors}`)
    const { EventSelectors } = await trail('get-event-selectors --trail-name logs')
    assert.deepEqual(EventSelectors, [
      {
        ReadWriteType: 'All',
        IncludeManagementEvents: true,
        DataResources: [],
        ExcludeManagementEventSources: ['kms.amazonaws.com'],
      },
    ])
    const updated = await trail('update-trail --name logs --is-multi-region-trail')
    assert.equal(updated['IsMultiRegionTrail'], true)
    const { trailList } = await trail('describe-trails --region eu-west-1')
    const names = (trailList as readonly { readonly Name: string }[]).map(({ Name }) => Name)
    assert(names.includes('logs'))
    // The operator's own is there too, and is not anybody's to end.
    const [operator] = names.filter((name) => name !== 'logs')
    const ended = await shell(`aws cloudtrail delete-trail --name ${operator}`)
    assert.match(ended.stderr, /\(OperationNotPermittedException\)/)
    await print('aws cloudtrail stop-logging --name logs')
    assert.equal((await trail('get-trail-status --name logs'))['IsLogging'], false)
    await print('aws cloudtrail delete-trail --name logs')
    const gone = await shell('aws cloudtrail get-trail --name logs')
    assert.match(gone.stderr, /\(TrailNotFoundException\)/)
  },
)
