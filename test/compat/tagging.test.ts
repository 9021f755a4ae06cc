/** GetResources of the Resource Groups Tagging API, through the official SDK and the AWS CLI. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreateKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import {
  GetResourcesCommand,
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
  type GetResourcesCommandInput,
} from '@aws-sdk/client-resource-groups-tagging-api'
import { credentials as rootCredentials, region } from '../harness.ts'
import { denied, openIdentities, type Credentials } from './identities.ts'

const identities = await openIdentities({ after })
const { server } = identities

function clientOf(credentials: Credentials, own = region): ResourceGroupsTaggingAPIClient {
  const settings = { region: own, endpoint: server.url, credentials, maxAttempts: 1 }
  const client = new ResourceGroupsTaggingAPIClient(settings)
  after(() => client.destroy())
  return client
}

const client = clientOf(rootCredentials)
const arns: string[] = []
for (const tags of [
  {},
  { team: 'a' },
  { team: 'b', stage: 'test' },
  { stage: 'live', 'a/b': '' },
]) {
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
  const { KeyMetadata } = await identities.root.kms.send(new CreateKeyCommand({ Tags }))
  arns.push(KeyMetadata?.Arn ?? '')
}

async function found(input: GetResourcesCommandInput): Promise<string[]> {
  const output = await client.send(new GetResourcesCommand(input))
  return (output.ResourceTagMappingList ?? []).map(({ ResourceARN = '' }) => ResourceARN).sort()
}

test('GetResources lists tagged keys with their tags, and no others', async () => {
  const { ResourceTagMappingList, PaginationToken } = await client.send(new GetResourcesCommand())
  assert.equal(PaginationToken, '')
  assert.deepEqual(
    ResourceTagMappingList?.toSorted((one, other) =>
      (one.ResourceARN ?? '') < (other.ResourceARN ?? '') ? -1 : 1,
    ),
    [
      { ResourceARN: arns[1], Tags: [{ Key: 'team', Value: 'a' }] },
      {
        ResourceARN: arns[2],
        Tags: [
          { Key: 'team', Value: 'b' },
          { Key: 'stage', Value: 'test' },
        ],
      },
      {
        ResourceARN: arns[3],
        Tags: [
          { Key: 'stage', Value: 'live' },
          { Key: 'a/b', Value: '' },
        ],
      },
    ].toSorted((one, other) => ((one.ResourceARN ?? '') < (other.ResourceARN ?? '') ? -1 : 1)),
  )
})

test('filters of tags all must match; a filter without values takes any', async () => {
  const [, a = '', b = '', live = ''] = arns
  assert.deepEqual(await found({ TagFilters: [{ Key: 'team' }] }), [a, b].sort())
  assert.deepEqual(
    await found({ TagFilters: [{ Key: 'stage', Values: ['test', 'live'] }] }),
    [b, live].sort(),
  )
  assert.deepEqual(await found({ TagFilters: [{ Key: 'team' }, { Key: 'stage' }] }), [b])
  assert.deepEqual(await found({ TagFilters: [{ Key: 'Team' }] }), [])
  assert.deepEqual(await found({ ResourceTypeFilters: ['kms:key', 's3'] }), [a, b, live].sort())
  assert.deepEqual(await found({ ResourceTypeFilters: ['kms'] }), [a, b, live].sort())
  assert.deepEqual(await found({ ResourceTypeFilters: ['s3', 'kms:alias'] }), [])
  assert.deepEqual(await found({ ResourceARNList: arns.slice(0, 2) }), [a])
})

test('pages hold as many keys as asked for, and a token belongs to its question', async () => {
  const pages: number[] = []
  const all = new Set<string | undefined>()
  for await (const page of paginateGetResources({ client }, { ResourcesPerPage: 1 })) {
    pages.push(page.ResourceTagMappingList?.length ?? 0)
    for (const { ResourceARN } of page.ResourceTagMappingList ?? []) all.add(ResourceARN)
  }
  assert.deepEqual([pages, all.size], [[1, 1, 1], 3])
  const first = await client.send(new GetResourcesCommand({ ResourcesPerPage: 1 }))
  for (const input of [
    { PaginationToken: first.PaginationToken, ResourcesPerPage: 2 },
    { PaginationToken: 'none' },
  ]) {
    await assert.rejects(client.send(new GetResourcesCommand(input)), {
      name: 'InvalidParameterException',
      message: 'the pagination token is not valid',
    })
  }
})

test('GetResources refuses what it does not do, and callers without tag:GetResources', async () => {
  for (const input of [
    { IncludeComplianceDetails: true },
    { ResourceARNList: [arns[0] ?? ''], TagFilters: [{ Key: 'team' }] },
  ]) {
    await assert.rejects(client.send(new GetResourcesCommand(input)), {
      name: 'InvalidParameterException',
    })
  }
  await assert.rejects(client.send(new GetResourcesCommand({ ResourcesPerPage: 101 })), {
    name: 'ValidationException',
  })
  const user = await identities.newUser('tagless', { Action: 'kms:*' })
  const message =
    `User: ${user.arn} is not authorized to perform: tag:GetResources ` +
    'because no identity-based policy allows the tag:GetResources action'
  const theirs = clientOf(user.credentials)
  await denied(theirs.send(new GetResourcesCommand()), 'AccessDeniedException', 400, message)
  const may = await identities.newUser('tagged', { Action: 'tag:GetResources' })
  const { ResourceTagMappingList } = await clientOf(may.credentials).send(new GetResourcesCommand())
  assert.equal(ResourceTagMappingList?.length, 3)
})

test('a key pending deletion keeps its tags, and another Region has none', async () => {
  await identities.root.kms.send(new ScheduleKeyDeletionCommand({ KeyId: arns[1] }))
  assert.equal((await found({ TagFilters: [{ Key: 'team', Values: ['a'] }] })).length, 1)
  const elsewhere = clientOf(rootCredentials, 'eu-central-1')
  const { ResourceTagMappingList } = await elsewhere.send(new GetResourcesCommand())
  assert.deepEqual(ResourceTagMappingList, [])
})
