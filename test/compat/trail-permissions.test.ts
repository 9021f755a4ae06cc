/** CloudTrail's operations by the official SDK: who may, on which trail, and what each call leaves. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateTrailCommand,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
  ListPublicKeysCommand,
  ListTrailsCommand,
  LookupEventsCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
  type CloudTrailClient,
} from '@aws-sdk/client-cloudtrail'
import { accountId, region, startTestServer } from '../harness.ts'
import { denied, openIdentities } from './identities.ts'
import { recordsOf } from './records.ts'
import { callByHand } from './signed-http.ts'
import { trailClient } from './trails.ts'

const identities = await openIdentities({ after })
const root = trailClient({ after }, identities.server)

const arn = `arn:aws:cloudtrail:${region}:${accountId}:trail/t-1`
const Name = 't-1'
const TrailName = Name

/** Each with the resource that its permission is on, and what it meets behind the permission. */
const calls: readonly (readonly [
  name: string,
  run: (client: CloudTrailClient) => Promise<unknown>,
  resource: string | undefined,
  refusal?: string,
])[] = [
  [
    'CreateTrail',
    (client) => client.send(new CreateTrailCommand({ Name, S3BucketName: 'nowhere' })),
    arn,
    'S3BucketDoesNotExistException',
  ],
  ...(
    [
      ['UpdateTrail', (client) => client.send(new UpdateTrailCommand({ Name }))],
      ['DeleteTrail', (client) => client.send(new DeleteTrailCommand({ Name: arn }))],
      ['StartLogging', (client) => client.send(new StartLoggingCommand({ Name }))],
      ['StopLogging', (client) => client.send(new StopLoggingCommand({ Name }))],
      ['GetTrail', (client) => client.send(new GetTrailCommand({ Name }))],
      ['GetTrailStatus', (client) => client.send(new GetTrailStatusCommand({ Name }))],
      ['GetEventSelectors', (client) => client.send(new GetEventSelectorsCommand({ TrailName }))],
      [
        'PutEventSelectors',
        (client) => client.send(new PutEventSelectorsCommand({ TrailName, EventSelectors: [{}] })),
      ],
    ] as readonly (readonly [string, (client: CloudTrailClient) => Promise<unknown>])[]
  ).map(([name, run]) => [name, run, arn, 'TrailNotFoundException'] as const),
  ['DescribeTrails', (client) => client.send(new DescribeTrailsCommand({})), undefined],
  ['ListTrails', (client) => client.send(new ListTrailsCommand({})), undefined],
  ['ListPublicKeys', (client) => client.send(new ListPublicKeysCommand({})), undefined],
  ['LookupEvents', (client) => client.send(new LookupEventsCommand({})), undefined],
]

for (const [name, run, resource, refusal] of calls) {
  test(`${name} asks a policy for its permission, and leaves one record either way`, async (t) => {
    const { server, newUser } = identities
    const action = `cloudtrail:${name}`
    const may = await newUser(`may-${name}`, { Action: action, Resource: resource ?? '*' })
    const other = resource === undefined ? 'kms:*' : action
    const elsewhere = { Action: other, Resource: resource === undefined ? '*' : `${arn}-other` }
    const mayNot = await newUser(`may-not-${name}`, elsewhere)
    const as = (user: typeof may): CloudTrailClient =>
      trailClient(t, server, { credentials: user.credentials })
    const earlier = (await recordsOf(server.directory)).length
    const on = resource === undefined ? '' : ` on resource: ${resource}`
    await denied(
      run(as(mayNot)),
      'AccessDeniedException',
      400,
      `User: ${mayNot.arn} is not authorized to perform: ${action}${on} because no ` +
        `identity-based policy allows the ${action} action`,
    )
    if (refusal === undefined) await run(as(may))
    else await assert.rejects(run(as(may)), { name: refusal })
    const records = (await recordsOf(server.directory)).slice(earlier)
    assert.deepEqual(
      records.map(({ eventName, eventSource, errorCode }) => [eventName, eventSource, errorCode]),
      [
        [name, 'cloudtrail.amazonaws.com', 'AccessDenied'],
        [name, 'cloudtrail.amazonaws.com', refusal],
      ],
    )
  })
}

test('there are no trails and no keys of digests where nothing is delivered', async () => {
  const { trailList } = await root.send(new DescribeTrailsCommand({}))
  const { Trails } = await root.send(new ListTrailsCommand({}))
  const { PublicKeyList } = await root.send(new ListPublicKeysCommand({}))
  assert.deepEqual([trailList, Trails, PublicKeyList], [[], [], []])
})

test('both names of the service lead to it, and to no operation of another', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const call = async (target: string, service = 'cloudtrail'): Promise<number> => {
    const headers = { 'X-Amz-Target': target }
    return (await callByHand(server.port, 'ListTrails', { headers, service })).status
  }
  assert.equal(await call('com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.ListTrails'), 200)
  assert.equal(await call('CloudTrail_20131101.ListTrails'), 200)
  assert.equal(await call('CloudTrail_20131101.ListKeys'), 400)
  assert.equal(await call('CloudTrail_20131101.ListTrails', 'kms'), 400)
  assert.equal(await call('TrentService.ListTrails', 'kms'), 400)
  assert.equal(await call('x.CloudTrail_20131101.ListTrails'), 400)
})
