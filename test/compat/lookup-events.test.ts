/** LookupEvents through the official SDK: who sees what, by which attribute, page by page. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LookupEventsCommand, type LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail'
import { CreateAliasCommand, DescribeKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { credentials, startTestServer } from '../harness.ts'
import { otherCredentials, startWithTwoAccounts } from './accounts.ts'
import { credentialsOf, denied, openIdentities } from './identities.ts'
import { recordTexts, recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { by, lookUp, lookUpSoon, trailClient } from './trails.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const trail = trailClient({ after }, server)
const Plaintext = Buffer.from('x')

test('every record of the Region is an event, whole and the latest first', async () => {
  const { keyId, arn } = await makeKey(kms)
  for (let count = 0; count < 3; count += 1) {
    await kms.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  }
  const events = await lookUpSoon(trail, 4, by('ResourceName', arn))
  const texts = await recordTexts(server.directory)
  const records = (await recordsOf(server.directory)).filter(({ resources }) =>
    resources?.some(({ ARN }) => ARN === arn),
  )
  assert.deepEqual(
    events.map(({ EventId }) => EventId),
    records.map(({ eventID }) => eventID).toReversed(),
  )
  for (const event of events) {
    assert(texts.includes(event.CloudTrailEvent ?? ''))
    const record = records.find(({ eventID }) => eventID === event.EventId)
    const { CloudTrailEvent: _text, EventId: _id, ...said } = event
    assert.deepEqual(said, {
      EventName: record?.eventName,
      ReadOnly: String(record?.readOnly),
      AccessKeyId: credentials.accessKeyId,
      EventTime: new Date(record?.eventTime ?? ''),
      EventSource: 'kms.amazonaws.com',
      Username: 'root',
      Resources:
        event.EventName === 'Encrypt'
          ? [{ ResourceName: keyId }]
          : [keyId, arn].map((name) => ({ ResourceType: 'AWS::KMS::Key', ResourceName: name })),
    })
  }
})

test('events are found by each attribute, and by its whole value only', async () => {
  const { keyId: TargetKeyId, arn } = await makeKey(kms)
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/looked-for', TargetKeyId }))
  const [event] = await lookUpSoon(trail, 1, by('EventName', 'CreateAlias'))
  const found = async (...given: Parameters<typeof by>): Promise<boolean> =>
    (await lookUp(trail, by(...given))).some(({ EventId }) => EventId === event?.EventId)
  const alias = arn.replace(/key\/.*/, 'alias/looked-for')
  for (const [key, value, other] of [
    ['EventId', event?.EventId, `${event?.EventId?.slice(0, -1)}x`],
    ['EventName', 'CreateAlias', 'CreateAliases'],
    ['ReadOnly', 'false', 'true'],
    ['Username', 'root', 'ROOT'],
    ['ResourceType', 'AWS::KMS::Key', 'AWS::KMS'],
    ['ResourceName', arn, `${arn}x`],
    ['ResourceName', TargetKeyId, TargetKeyId.slice(1)],
    ['ResourceName', alias, alias.slice(0, -1)],
    ['ResourceName', 'alias/looked-for', 'looked-for'],
    ['EventSource', 'kms.amazonaws.com', 'kms'],
    ['AccessKeyId', credentials.accessKeyId, 'OTHER'],
  ] as const) {
    assert(await found(key, value ?? ''), `${key} ${value}`)
    assert(!(await found(key, other)), `${key} ${other}`)
  }
})

test('pages follow each other without a gap or an overlap, whatever is recorded meanwhile', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  for (let count = 0; count < 24; count += 1) await kms.send(new DescribeKeyCommand({ KeyId }))
  const all = await lookUpSoon(trail, 25, by('ResourceName', arn))
  assert.equal(all.length, 25)
  for (const MaxResults of [1, 7, 24, 25, 50]) {
    const paged = await lookUp(trail, { ...by('ResourceName', arn), MaxResults })
    assert.deepEqual(paged, all)
  }
  const first = await trail.send(
    new LookupEventsCommand({ ...by('ResourceName', arn), MaxResults: 10 }),
  )
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await lookUpSoon(trail, 26, by('ResourceName', arn))
  const { Events } = await trail.send(
    new LookupEventsCommand({
      ...by('ResourceName', arn),
      MaxResults: 10,
      NextToken: first.NextToken,
    }),
  )
  assert.deepEqual(Events, all.slice(10, 20))
})

async function moveClock(body: object): Promise<Date> {
  const answer = await fetch(`${server.url}/_trent/test/clock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { now } = (await answer.json()) as { readonly now: string }
  return new Date(now)
}

test('times bound what is told, and nothing is told from beyond 90 days', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  const made = by('ResourceName', arn)
  const begun = Math.floor((await moveClock({ advance: '10d' })).getTime() / 1000) * 1000
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await moveClock({ advance: '10d' })
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await lookUpSoon(trail, 3, made)
  const between = async (from?: number, until?: number): Promise<(string | undefined)[]> => {
    const events = await lookUp(trail, {
      ...made,
      ...(from !== undefined && { StartTime: new Date(begun + from) }),
      ...(until !== undefined && { EndTime: new Date(begun + until) }),
    })
    return events.map(({ EventName }) => EventName)
  }
  const day = 86_400_000
  assert.deepEqual(await between(), ['Encrypt', 'DescribeKey', 'CreateKey'])
  assert.deepEqual(await between(0), ['Encrypt', 'DescribeKey'])
  assert.deepEqual(await between(undefined, day), ['DescribeKey', 'CreateKey'])
  assert.deepEqual(await between(0, day), ['DescribeKey'])
  assert.deepEqual(await between(day, 2 * day), [])
  assert.deepEqual(await between(-30 * day, -20 * day), [])
  await moveClock({ advance: '75d' })
  assert.deepEqual(await between(), ['Encrypt', 'DescribeKey'])
  assert.deepEqual(await between(-20 * day), ['Encrypt', 'DescribeKey'])
  await moveClock({ advance: '20d' })
  assert.deepEqual(await between(-20 * day), [])
})

test('what cannot be looked for is refused in AWS’s words', async () => {
  const refused = (input: LookupEventsCommandInput, code: string, message: string | RegExp) =>
    denied(trail.send(new LookupEventsCommand(input)), code, 400, message)
  for (const MaxResults of [0, 51, -1]) {
    await refused(
      { MaxResults },
      'InvalidMaxResultsException',
      `A max results value of ${MaxResults} is invalid. Specify max results between 1 and 50.`,
    )
  }
  const [one] = by('EventName', 'Encrypt').LookupAttributes
  assert(one)
  await refused(
    { LookupAttributes: [one, one] },
    'InvalidLookupAttributesException',
    'You can only specify one lookup attribute.',
  )
  await refused(
    { StartTime: new Date(2000), EndTime: new Date(1000) },
    'InvalidTimeRangeException',
    /start time/,
  )
  await refused(
    { LookupAttributes: [{ ...one, AttributeValue: '' }] },
    'ValidationException',
    /min|1/,
  )
  await refused({ NextToken: 'nonsense' }, 'InvalidNextTokenException', 'Invalid NextToken')
  await makeKey(kms)
  await makeKey(kms)
  const input = { ...by('EventSource', 'kms.amazonaws.com'), MaxResults: 1 }
  await lookUpSoon(trail, 2, input)
  const { NextToken } = await trail.send(new LookupEventsCommand(input))
  assert(NextToken)
  for (const other of [
    { ...by('EventSource', 'sts.amazonaws.com'), MaxResults: 1 },
    { MaxResults: 1 },
    { ...input, EndTime: new Date() },
  ]) {
    await refused({ ...other, NextToken }, 'InvalidNextTokenException', 'Invalid NextToken')
  }
  await trail.send(new LookupEventsCommand({ ...input, NextToken }))
  const insights = await trail.send(new LookupEventsCommand({ EventCategory: 'insight' }))
  assert.deepEqual(insights.Events, [])
})

test('nobody sees another Region’s events, or another account’s', async (t) => {
  const two = await startWithTwoAccounts()
  t.after(() => two.stop())
  const { arn } = await makeKey(two.client())
  const own = trailClient(t, two)
  await lookUpSoon(own, 1, by('ResourceName', arn))
  const foreign = trailClient(t, two, { credentials: otherCredentials })
  const elsewhere = trailClient(t, two, { region: 'eu-west-1' })
  assert.deepEqual(await lookUp(foreign, by('ResourceName', arn)), [])
  assert.deepEqual(await lookUp(elsewhere, by('ResourceName', arn)), [])
  const names = (await lookUpSoon(foreign, 1)).map(({ EventName }) => EventName)
  assert(names.every((name) => name !== 'CreateKey'))
  // A token of one is nothing to the other.
  const { NextToken } = await own.send(new LookupEventsCommand({ MaxResults: 1 }))
  await denied(
    foreign.send(new LookupEventsCommand({ MaxResults: 1, NextToken })),
    'InvalidNextTokenException',
    400,
    'Invalid NextToken',
  )
})

test('a user looks events up when a policy allows it; sessions and IAM are found by their names', async (t) => {
  const identities = await openIdentities(t)
  const { server: of, newUser, newRole, as } = identities
  const may = await newUser('auditor', { Action: ['cloudtrail:LookupEvents', 'sts:AssumeRole'] })
  const mayNot = await newUser('other', { Action: 'kms:*' })
  const ask = (user: typeof may, more = {}) =>
    trailClient(t, of, { credentials: user.credentials, ...more })
  await denied(
    ask(mayNot).send(new LookupEventsCommand({})),
    'AccessDeniedException',
    400,
    `User: ${mayNot.arn} is not authorized to perform: cloudtrail:LookupEvents because no ` +
      'identity-based policy allows the cloudtrail:LookupEvents action',
  )
  const [made] = await lookUpSoon(
    ask(may, { region: 'us-east-1' }),
    1,
    by('ResourceName', 'auditor'),
  )
  assert.equal(made?.EventSource, 'iam.amazonaws.com')
  const [refusal] = await lookUpSoon(ask(may), 1, by('Username', 'other'))
  assert.match(refusal?.CloudTrailEvent ?? '', /"errorCode":"AccessDenied"/)
  assert.equal(refusal?.EventName, 'LookupEvents')
  const trust = { Effect: 'Allow', Principal: { AWS: may.arn }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await newRole('job', trust, { Action: 'kms:ListKeys' })
  const { Credentials } = await may.sts.send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'nightly' }),
  )
  const session = credentialsOf(Credentials)
  await as(session).whoAmI()
  const [said] = await lookUpSoon(ask(may), 1, by('Username', 'nightly'))
  assert.deepEqual([said?.EventName, said?.AccessKeyId], ['GetCallerIdentity', session.accessKeyId])
  const [assumed] = await lookUpSoon(ask(may), 1, by('ResourceName', RoleArn))
  assert.equal(assumed?.EventName, 'AssumeRole')
})

test('what one process has not indexed the next one does, and nothing twice', async (t) => {
  const first = await startTestServer()
  const { keyId: KeyId, arn } = await makeKey(first.client())
  for (let count = 0; count < 5; count += 1) {
    await first.client().send(new DescribeKeyCommand({ KeyId }))
  }
  await first.stop('keep')
  const second = await startTestServer({}, { directory: first.directory })
  t.after(() => second.stop())
  const client = trailClient(t, second)
  assert.equal((await lookUpSoon(client, 6, by('ResourceName', arn))).length, 6)
  await second.client().send(new DescribeKeyCommand({ KeyId }))
  const events = await lookUpSoon(client, 7, by('ResourceName', arn))
  assert.equal(events.length, 7)
  assert.equal(new Set(events.map(({ EventId }) => EventId)).size, 7)
})
