/** Roles through the official SDK: creation, lists, changes, deletion, and refusals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DeleteRoleCommand,
  GetRoleCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateRoleCommand,
  UpdateRoleDescriptionCommand,
  type CreateRoleRequest,
} from '@aws-sdk/client-iam'
import { denied, notAllowed, openIdentities } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'
import { newRole, roleArnOf, trustOf } from './role-cases.ts'

type Making = Partial<CreateRoleRequest>

test('a role is created, returned, listed, changed and deleted', async (t) => {
  const { root } = await openIdentities(t)
  const Tags = [{ Key: 'team', Value: 'blue +1' }]
  const trust = ` ${trustOf({ AWS: accountId })}\n`
  const made = await newRole(root, 'Ops', {
    Path: '/a/b/',
    Tags,
    Description: 'for é',
    MaxSessionDuration: 7200,
    AssumeRolePolicyDocument: trust,
  })
  assert.match(made.RoleId ?? '', /^AROA[A-Z2-7]{17}$/)
  assert.equal(made.Arn, roleArnOf('a/b/Ops'))
  const shown = await root.iam.send(new GetRoleCommand({ RoleName: 'Ops' }))
  assert.deepEqual(shown.Role, { ...made, RoleLastUsed: {} })
  assert.deepEqual(
    [made.Tags, made.Description, made.MaxSessionDuration, made.Path],
    [Tags, 'for é', 7200, '/a/b/'],
  )
  const document = made.AssumeRolePolicyDocument ?? ''
  assert.match(document, /^%20%7B%22Version%22/)
  assert.equal(decodeURIComponent(document), trust)
  const plain = await newRole(root, 'plain')
  assert.deepEqual(
    [plain.MaxSessionDuration, plain.Description, plain.Path],
    [3600, undefined, '/'],
  )
  const listed = async (PathPrefix?: string): Promise<unknown> => {
    const { Roles, IsTruncated } = await root.iam.send(new ListRolesCommand({ PathPrefix }))
    assert.equal(IsTruncated, false)
    assert.equal(
      Roles?.some((role) => role.Tags ?? role.RoleLastUsed),
      false,
    )
    return Roles?.map(({ RoleName }) => RoleName)
  }
  assert.deepEqual(await listed(), ['Ops', 'plain'])
  assert.deepEqual(await listed('/a/'), ['Ops'])
  assert.deepEqual(await listed('/c/'), [])
  const RoleName = 'Ops'
  await root.iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 43_200 }))
  await root.iam.send(new UpdateRoleCommand({ RoleName, Description: '' }))
  const { Role } = await root.iam.send(new GetRoleCommand({ RoleName }))
  assert.deepEqual([Role?.Description, Role?.MaxSessionDuration], [undefined, 43_200])
  const described = await root.iam.send(
    new UpdateRoleDescriptionCommand({ RoleName, Description: 'again' }),
  )
  assert.deepEqual([described.Role?.Description, described.Role?.RoleId], ['again', made.RoleId])
  await root.iam.send(new DeleteRoleCommand({ RoleName }))
  const gone = 'The role with name Ops cannot be found.'
  await denied(root.iam.send(new GetRoleCommand({ RoleName })), 'NoSuchEntityException', 404, gone)
  assert.deepEqual(await listed(), ['plain'])
})

test('roles are listed in pages, and a marker is valid only for its own list', async (t) => {
  const { root } = await openIdentities(t)
  for (const name of ['c', 'a', 'b']) await newRole(root, name)
  const first = await root.iam.send(new ListRolesCommand({ MaxItems: 2 }))
  assert.deepEqual(
    [first.IsTruncated, first.Roles?.map(({ RoleName }) => RoleName)],
    [true, ['a', 'b']],
  )
  const { Marker } = first
  const other = root.iam.send(new ListRolesCommand({ PathPrefix: '/x/', Marker }))
  await denied(other, 'ValidationError', 400, 'Invalid Marker.')
  const last = await root.iam.send(new ListRolesCommand({ MaxItems: 2, Marker }))
  assert.deepEqual(
    [last.IsTruncated, last.Marker, last.Roles?.map(({ RoleName }) => RoleName)],
    [false, undefined, ['c']],
  )
})

test('a page of roles has at most 100, whatever MaxItems is', async (t) => {
  const { root } = await openIdentities(t)
  for (let index = 0; index < 101; index += 1) await newRole(root, `r${index}`)
  const page = await root.iam.send(new ListRolesCommand({ MaxItems: 1000 }))
  assert.deepEqual([page.IsTruncated, page.Roles?.length], [true, 100])
  const { Marker } = page
  const rest = await root.iam.send(new ListRolesCommand({ MaxItems: 1000, Marker }))
  assert.deepEqual([rest.IsTruncated, rest.Roles?.length], [false, 1])
})

test('names, paths, descriptions and session durations that AWS refuses are refused', async (t) => {
  const { root } = await openIdentities(t)
  const make = (RoleName: string, more: Making = {}): Promise<unknown> =>
    newRole(root, RoleName, more)
  await make('Ops')
  const taken = 'Role with name OPS already exists.'
  await denied(make('OPS'), 'EntityAlreadyExistsException', 409, taken)
  const words =
    'The specified value for roleName is invalid. ' +
    'It must contain only alphanumeric characters and/or the following: +=,.@_-'
  for (const name of ['a b', 'a/b', '<a>', 'ä', '../a', 'a\u0000']) {
    await denied(make(name), 'ValidationError', 400, words)
  }
  await denied(make('a'.repeat(65)), 'ValidationError', 400, /less than or equal to 64/)
  for (const Path of ['x', '/x', '/ /', '/\u00e9/']) {
    await denied(make('b', { Path }), 'ValidationError', 400, /path is invalid/)
  }
  const Path = '/aws-service-role/a.amazonaws.com/'
  await denied(make('b', { Path }), 'InvalidInputException', 400, /reserved/)
  const Description = 'emoji \u{1F600}'
  await denied(make('b', { Description }), 'ValidationError', 400, /'description' failed/)
  await denied(make('b', { Description: 'x'.repeat(1001) }), 'ValidationError', 400, /1000/)
  for (const [MaxSessionDuration, limit] of [
    [3599, /3600/],
    [43_201, /43200/],
  ] as const) {
    await denied(make('b', { MaxSessionDuration }), 'ValidationError', 400, limit)
  }
  const twice = [
    { Key: 'a', Value: '' },
    { Key: 'A', Value: '' },
  ]
  await denied(make('b', { Tags: twice }), 'InvalidInputException', 400, /Duplicate tag keys/)
  const aws = [{ Key: 'AWS:a', Value: '' }]
  await denied(make('b', { Tags: aws }), 'InvalidInputException', 400, /reserved/)
})

test('names, paths and tags of a role survive the form and the XML', async (t) => {
  const { root } = await openIdentities(t)
  const RoleName = 'a+b=c,d.e@f-g_h'
  const Path = `/%2F+a/<&>"';/{}|~!$()*?/`
  const Tags = [{ Key: 'a=b+c/d', Value: ' x @:é ' }]
  const made = await newRole(root, RoleName, { Path, Tags })
  assert.equal(made.Arn, roleArnOf(`${Path.slice(1)}${RoleName}`))
  const { Role } = await root.iam.send(new GetRoleCommand({ RoleName }))
  assert.deepEqual([Role?.RoleName, Role?.Path, Role?.Tags], [RoleName, Path, Tags])
  const { Roles } = await root.iam.send(new ListRolesCommand({ PathPrefix: '/%2F+a/<' }))
  assert.equal(Roles?.length, 1)
})

test('concurrent changes of a role are all stored', async (t) => {
  const { root } = await openIdentities(t)
  await newRole(root, 'r')
  const keys = Array.from({ length: 6 }, (_, index) => `k${index}`)
  await Promise.all(
    keys.map((Key) =>
      root.iam.send(new TagRoleCommand({ RoleName: 'r', Tags: [{ Key, Value: '' }] })),
    ),
  )
  const { Tags } = await root.iam.send(new ListRoleTagsCommand({ RoleName: 'r' }))
  assert.deepEqual(
    Tags?.map(({ Key }) => Key),
    keys,
  )
})

test('tags of a role are added, replaced whatever their case, listed and removed', async (t) => {
  const { root } = await openIdentities(t)
  await newRole(root, 'r', { Tags: [{ Key: 'Team', Value: 'blue' }] })
  const tagsOf = async (): Promise<unknown> => {
    const { Tags } = await root.iam.send(new ListRoleTagsCommand({ RoleName: 'r' }))
    return Tags
  }
  const add = (...Tags: { Key: string; Value: string }[]): Promise<unknown> =>
    root.iam.send(new TagRoleCommand({ RoleName: 'r', Tags }))
  await add({ Key: 'team', Value: 'red' }, { Key: 'a', Value: '' })
  assert.deepEqual(await tagsOf(), [
    { Key: 'a', Value: '' },
    { Key: 'team', Value: 'red' },
  ])
  const page = await root.iam.send(new ListRoleTagsCommand({ RoleName: 'r', MaxItems: 1 }))
  assert.deepEqual([page.IsTruncated, page.Tags?.length], [true, 1])
  const many = Array.from({ length: 49 }, (_, index) => ({ Key: `k${index}`, Value: '' }))
  const full = 'The number of tags has reached the maximum limit.'
  await denied(add(...many), 'LimitExceededException', 409, full)
  await root.iam.send(new UntagRoleCommand({ RoleName: 'r', TagKeys: ['TEAM', 'none'] }))
  assert.deepEqual(await tagsOf(), [{ Key: 'a', Value: '' }])
})

test('identity policies decide which calls on which roles are allowed', async (t) => {
  const { root, newUser } = await openIdentities(t)
  await newRole(root, 'open', { Path: '/ops/', Tags: [{ Key: 'team', Value: 'blue' }] })
  await newRole(root, 'closed', { Path: '/ops/' })
  const ada = await newUser('ada', {
    Action: ['iam:GetRole', 'iam:CreateRole'],
    Resource: roleArnOf('ops/*'),
    Condition: { StringEqualsIfExists: { 'aws:ResourceTag/team': 'blue' } },
  })
  await ada.iam.send(new GetRoleCommand({ RoleName: 'open' }))
  const hidden = ada.iam.send(new GetRoleCommand({ RoleName: 'nobody' }))
  const refusal = notAllowed(ada.arn, 'iam:GetRole', 'role nobody')
  await denied(hidden, 'AccessDenied', 403, refusal)
  await newRole(ada, 'made', { Path: '/ops/' })
  const elsewhere = notAllowed(ada.arn, 'iam:CreateRole', roleArnOf('made2'))
  await denied(newRole(ada, 'made2'), 'AccessDenied', 403, elsewhere)
  const tagged = newRole(ada, 'made3', { Path: '/ops/', Tags: [{ Key: 'a', Value: 'b' }] })
  const noTags = notAllowed(ada.arn, 'iam:TagRole', roleArnOf('ops/made3'))
  await denied(tagged, 'AccessDenied', 403, noTags)
  const ended = ada.iam.send(new DeleteRoleCommand({ RoleName: 'made' }))
  const noDeleting = notAllowed(ada.arn, 'iam:DeleteRole', 'role made')
  await denied(ended, 'AccessDenied', 403, noDeleting)
})
