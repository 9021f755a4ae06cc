/** The form of events, byte for byte. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusedUseEvent, serviceKeyEvent } from '../../src/events/key-event.ts'

const key = {
  accountId: '111122223333',
  region: 'us-west-2',
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
}
const made = {
  eventId: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  time: Date.UTC(2016, 7, 25, 21, 5, 33, 999),
  partition: 'aws',
}
const arn = 'arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** As printed in the developer guide of AWS KMS, without white space. */
const sample = (detailType: string): string =>
  `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"${detailType}",` +
  '"source":"aws.kms","account":"111122223333","time":"2016-08-25T21:05:33Z","region":"us-west-2",' +
  `"resources":["${arn}"],"detail":{"key-id":"1234abcd-12ab-34cd-56ef-1234567890ab"}}`

for (const [eventName, detailType, isGuaranteed] of [
  ['RotateKey', 'KMS CMK Rotation', false],
  ['DeleteExpiredKeyMaterial', 'KMS Imported Key Material Expiration', false],
  ['DeleteKey', 'KMS CMK Deletion', true],
] as const) {
  test(`the event of ${eventName} equals AWS's sample of ${detailType}`, () => {
    const details = { currentKeyMaterialId: 'is told to the audit log alone' }
    assert.deepEqual(serviceKeyEvent({ eventName, key, details }, made), {
      eventId: made.eventId,
      subject: arn,
      isGuaranteed,
      madeAt: made.time,
      body: sample(detailType),
    })
  })
}

test('other events of the service are not sent', () => {
  for (const eventName of ['SynchronizeMultiRegionKey', 'CreateKey', 'UpdatePrimaryRegion']) {
    assert.equal(serviceKeyEvent({ eventName, key }, made), undefined)
  }
})

test('a key of another partition has the ARN of its partition', () => {
  const chinese = { ...key, region: 'cn-north-1' }
  const event = serviceKeyEvent(
    { eventName: 'DeleteKey', key: chinese },
    { ...made, partition: 'aws-cn' },
  )
  assert.match(event?.body ?? '', /"resources":\["arn:aws-cn:kms:cn-north-1:/)
})

test('the event of a refused use holds its record unchanged', () => {
  const record =
    '{"eventName":"Decrypt","errorCode":"DisabledException","big":12345678901234567890}'
  const { body, subject, isGuaranteed } = refusedUseEvent(key, record, made)
  assert.equal(subject, arn)
  assert.equal(isGuaranteed, false)
  assert.ok(body.endsWith(`"resources":[],"detail":${record}}`))
  assert.equal(JSON.parse(body)['detail-type'], 'AWS API Call via CloudTrail')
})
