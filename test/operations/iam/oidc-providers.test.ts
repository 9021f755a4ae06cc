/** OpenID Connect providers through the official SDK: creation, changes, deletion, and refusals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  DeleteOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  ListOpenIDConnectProvidersCommand,
  ListOpenIDConnectProviderTagsCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  TagOpenIDConnectProviderCommand,
  UntagOpenIDConnectProviderCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
} from '@aws-sdk/client-iam'
import { denied, notAllowed, openIdentities } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

const Url = 'https://issuer.example/tenant'
const arnOf = (name: string): string => `arn:aws:iam::${accountId}:oidc-provider/${name}`
const OpenIDConnectProviderArn = arnOf('issuer.example/tenant')
const print = 'a'.repeat(40)

test('a provider is created, returned, listed, changed and deleted', async (t) => {
  const { root } = await openIdentities(t)
  const { iam } = root
  const Tags = [{ Key: 'team', Value: 'blue' }]
  const made = await iam.send(
    new CreateOpenIDConnectProviderCommand({
      Url,
      ClientIDList: ['a', 'b', 'a'],
      ThumbprintList: [print.toUpperCase()],
      Tags,
    }),
  )
  assert.deepEqual([made.OpenIDConnectProviderArn, made.Tags], [OpenIDConnectProviderArn, Tags])
  const named = { OpenIDConnectProviderArn }
  const shown = async (): Promise<readonly unknown[]> => {
    const provider = await iam.send(new GetOpenIDConnectProviderCommand(named))
    assert(provider.CreateDate instanceof Date)
    return [provider.Url, provider.ClientIDList, provider.ThumbprintList, provider.Tags]
  }
  assert.deepEqual(await shown(), ['issuer.example/tenant', ['a', 'b'], [print], Tags])
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://a.example' }))
  const { OpenIDConnectProviderList } = await iam.send(new ListOpenIDConnectProvidersCommand({}))
  assert.deepEqual(
    OpenIDConnectProviderList?.map(({ Arn }) => Arn),
    [arnOf('a.example'), OpenIDConnectProviderArn],
  )
  for (const ClientID of ['c', 'c']) {
    await iam.send(new AddClientIDToOpenIDConnectProviderCommand({ ...named, ClientID }))
  }
  for (const ClientID of ['a', 'none']) {
    await iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand({ ...named, ClientID }))
  }
  const ThumbprintList = ['b'.repeat(40)]
  await iam.send(new UpdateOpenIDConnectProviderThumbprintCommand({ ...named, ThumbprintList }))
  await iam.send(
    new TagOpenIDConnectProviderCommand({ ...named, Tags: [{ Key: 'TEAM', Value: 'red' }] }),
  )
  await iam.send(
    new TagOpenIDConnectProviderCommand({ ...named, Tags: [{ Key: 'cost', Value: '7' }] }),
  )
  await iam.send(new UntagOpenIDConnectProviderCommand({ ...named, TagKeys: ['team', 'none'] }))
  const cost = [{ Key: 'cost', Value: '7' }]
  assert.deepEqual(await shown(), ['issuer.example/tenant', ['b', 'c'], ThumbprintList, cost])
  const tags = await iam.send(new ListOpenIDConnectProviderTagsCommand(named))
  assert.deepEqual([tags.Tags, tags.IsTruncated], [cost, false])
  await iam.send(new DeleteOpenIDConnectProviderCommand(named))
  const message = `OpenIDConnect Provider not found for arn ${OpenIDConnectProviderArn}`
  await denied(shown(), 'NoSuchEntityException', 404, message)
  const again = iam.send(new DeleteOpenIDConnectProviderCommand(named))
  await denied(again, 'NoSuchEntityException', 404, message)
})

test('malformed issuers, duplicates and values over their limits are refused', async (t) => {
  const { root } = await openIdentities(t)
  const create = (more: object): Promise<unknown> =>
    root.iam.send(new CreateOpenIDConnectProviderCommand({ Url, ...more }))
  for (const wrong of [
    'issuer.example',
    'http://issuer.example',
    'http://localhost:1234',
    'https://issuer',
    'https://issuer.example/?a=b',
    'https://issuer.example/#a',
    'https://user@issuer.example',
    'https://ISSUER.example',
    'https://issuer.example//a',
    'https://issuer.example:99999',
    'https://issuer.example/%2e%2e',
    'javascript:alert(1)',
  ]) {
    const message = 'Invalid Open ID Connect Provider URL'
    await denied(create({ Url: wrong }), 'ValidationError', 400, message)
  }
  await denied(create({ Url: `https://${'a'.repeat(250)}.example` }), 'ValidationError', 400, /url/)
  await denied(create({ ThumbprintList: ['g'.repeat(40)] }), 'InvalidInputException', 400, /40 hex/)
  const six = Array.from({ length: 6 }, () => print)
  const few = 'Thumbprint list must contain fewer than 5 entries.'
  await denied(create({ ThumbprintList: six }), 'InvalidInputException', 400, few)
  const many = Array.from({ length: 101 }, (_, index) => `c${index}`)
  const quota = 'Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100'
  await denied(create({ ClientIDList: many }), 'LimitExceededException', 409, quota)
  await create({ ClientIDList: many.slice(1) })
  const add = root.iam.send(
    new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID: 'more' }),
  )
  await denied(add, 'LimitExceededException', 409, quota)
  const exists = `Provider with url ${Url} already exists.`
  await denied(create({}), 'EntityAlreadyExistsException', 409, exists)
  const get = (arn: string): Promise<unknown> =>
    root.iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }))
  await denied(get('a'.repeat(20)), 'InvalidInputException', 400, /Invalid ARN/)
  const foreign = OpenIDConnectProviderArn.replace(accountId, '444455556666')
  await denied(get(foreign), 'NoSuchEntityException', 404, /not found/)
})

test('an account has a hundred providers at most', async (t) => {
  const { root } = await openIdentities(t)
  const create = (index: number): Promise<unknown> =>
    root.iam.send(new CreateOpenIDConnectProviderCommand({ Url: `https://i${index}.example` }))
  for (let index = 0; index < 100; index += 1) await create(index)
  const quota = 'Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100'
  await denied(create(100), 'LimitExceededException', 409, quota)
})

test('each operation needs its permission on the provider', async (t) => {
  const { root, newUser } = await openIdentities(t)
  await root.iam.send(new CreateOpenIDConnectProviderCommand({ Url }))
  const nobody = await newUser('nobody')
  const reader = await newUser('reader', {
    Action: 'iam:GetOpenIDConnectProvider',
    Resource: OpenIDConnectProviderArn,
  })
  const named = { OpenIDConnectProviderArn }
  await reader.iam.send(new GetOpenIDConnectProviderCommand(named))
  for (const [action, resource, call] of [
    [
      'CreateOpenIDConnectProvider',
      'x.example',
      new CreateOpenIDConnectProviderCommand({ Url: 'https://x.example' }),
    ],
    [
      'GetOpenIDConnectProvider',
      'issuer.example/tenant',
      new GetOpenIDConnectProviderCommand(named),
    ],
    [
      'DeleteOpenIDConnectProvider',
      'issuer.example/tenant',
      new DeleteOpenIDConnectProviderCommand(named),
    ],
    [
      'AddClientIDToOpenIDConnectProvider',
      'issuer.example/tenant',
      new AddClientIDToOpenIDConnectProviderCommand({ ...named, ClientID: 'a' }),
    ],
    [
      'RemoveClientIDFromOpenIDConnectProvider',
      'issuer.example/tenant',
      new RemoveClientIDFromOpenIDConnectProviderCommand({ ...named, ClientID: 'a' }),
    ],
    [
      'UpdateOpenIDConnectProviderThumbprint',
      'issuer.example/tenant',
      new UpdateOpenIDConnectProviderThumbprintCommand({ ...named, ThumbprintList: [print] }),
    ],
    [
      'TagOpenIDConnectProvider',
      'issuer.example/tenant',
      new TagOpenIDConnectProviderCommand({ ...named, Tags: [{ Key: 'a', Value: 'b' }] }),
    ],
    [
      'UntagOpenIDConnectProvider',
      'issuer.example/tenant',
      new UntagOpenIDConnectProviderCommand({ ...named, TagKeys: ['a'] }),
    ],
    [
      'ListOpenIDConnectProviderTags',
      'issuer.example/tenant',
      new ListOpenIDConnectProviderTagsCommand(named),
    ],
  ] as const) {
    const refusal = notAllowed(nobody.arn, `iam:${action}`, arnOf(resource))
    await denied(nobody.iam.send(call as never), 'AccessDenied', 403, refusal)
  }
  const listing = nobody.iam.send(new ListOpenIDConnectProvidersCommand({}))
  await denied(listing, 'AccessDenied', 403, /iam:ListOpenIDConnectProviders/)
})
