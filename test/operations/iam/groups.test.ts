/** Groups through the official SDK: creation, members, policies, renaming and deletion. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteGroupCommand,
  DeleteGroupPolicyCommand,
  DeleteUserCommand,
  DetachGroupPolicyCommand,
  GetGroupCommand,
  GetGroupPolicyCommand,
  ListAttachedGroupPoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListGroupPoliciesCommand,
  ListGroupsCommand,
  ListGroupsForUserCommand,
  PutGroupPolicyCommand,
  RemoveUserFromGroupCommand,
  UpdateGroupCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import { denied, documentOf, notAllowed, openIdentities } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

const random = new GenerateRandomCommand({ NumberOfBytes: 1 })

test('a group’s policies apply to its members from the next call on, until they leave it', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('member')
  const { iam } = root
  const made = await iam.send(new CreateGroupCommand({ GroupName: 'Ops', Path: '/a/' }))
  assert.match(made.Group?.GroupId ?? '', /^AGPA[A-Z2-7]{17}$/)
  assert.equal(made.Group?.Arn, `arn:aws:iam::${accountId}:group/a/Ops`)
  const GroupName = 'Ops'
  const PolicyDocument = documentOf({ Action: 'kms:GenerateRandom' })
  const own = { GroupName, PolicyName: 'own' }
  await iam.send(new PutGroupPolicyCommand({ ...own, PolicyDocument }))
  const message = notAllowed(user.arn, 'kms:GenerateRandom', '*')
  await denied(user.kms.send(random), 'AccessDeniedException', 400, message)
  const member = { GroupName, UserName: 'member' }
  await iam.send(new AddUserToGroupCommand(member))
  await iam.send(new AddUserToGroupCommand(member))
  await user.kms.send(random)
  const shown = await iam.send(new GetGroupPolicyCommand(own))
  assert.equal(decodeURIComponent(shown.PolicyDocument ?? ''), PolicyDocument)
  const { PolicyNames } = await iam.send(new ListGroupPoliciesCommand({ GroupName }))
  assert.deepEqual(PolicyNames, ['own'])
  await iam.send(new DeleteGroupPolicyCommand(own))
  await denied(user.kms.send(random), 'AccessDeniedException', 400, message)

  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: 'all', PolicyDocument: documentOf({ Action: 'kms:*' }) }),
  )
  const attach = { GroupName, PolicyArn: Policy?.Arn }
  await iam.send(new AttachGroupPolicyCommand(attach))
  await user.kms.send(new CreateKeyCommand({}))
  const attached = await iam.send(new ListAttachedGroupPoliciesCommand({ GroupName }))
  assert.deepEqual(
    attached.AttachedPolicies?.map(({ PolicyName }) => PolicyName),
    ['all'],
  )
  const entities = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: Policy?.Arn }))
  assert.deepEqual(
    entities.PolicyGroups?.map((group) => group.GroupName),
    ['Ops'],
  )
  const deny = documentOf({ Effect: 'Deny', Action: 'kms:GenerateRandom' })
  await iam.send(new PutGroupPolicyCommand({ ...own, PolicyDocument: deny }))
  await denied(
    user.kms.send(random),
    'AccessDeniedException',
    400,
    /with an explicit deny in an identity-based policy/,
  )
  await iam.send(new RemoveUserFromGroupCommand(member))
  await denied(
    user.kms.send(new CreateKeyCommand({})),
    'AccessDeniedException',
    400,
    /kms:CreateKey/,
  )
  const again = iam.send(new RemoveUserFromGroupCommand(member))
  await denied(again, 'NoSuchEntityException', 404, 'User member not in the group Ops.')
  await iam.send(new DetachGroupPolicyCommand(attach))
  await iam.send(new DeleteGroupPolicyCommand(own))
  await iam.send(new DeleteGroupCommand({ GroupName }))
  const gone = iam.send(new GetGroupCommand({ GroupName }))
  await denied(gone, 'NoSuchEntityException', 404, 'The group with name Ops cannot be found.')
})

test('a group with members or policies cannot be deleted, nor can a member of a group', async (t) => {
  const {
    root: { iam },
  } = await openIdentities(t)
  const GroupName = 'full'
  const UserName = 'inside'
  await iam.send(new CreateGroupCommand({ GroupName }))
  await iam.send(new CreateUserCommand({ UserName }))
  await iam.send(new AddUserToGroupCommand({ GroupName, UserName }))
  const conflict = (call: Promise<unknown>, what: string) =>
    denied(call, 'DeleteConflictException', 409, `Cannot delete entity, must ${what} first.`)
  await conflict(iam.send(new DeleteGroupCommand({ GroupName })), 'remove users from group')
  await conflict(iam.send(new DeleteUserCommand({ UserName })), 'remove users from group')
  const PolicyDocument = documentOf({ Action: 'kms:*' })
  await iam.send(new PutGroupPolicyCommand({ GroupName, PolicyName: 'p', PolicyDocument }))
  await conflict(iam.send(new DeleteGroupCommand({ GroupName })), 'delete policies')
})

test('groups are listed in pages and renamed, and taken names are refused', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const { iam } = root
  for (const GroupName of ['c', 'a', 'b']) {
    await iam.send(new CreateGroupCommand({ GroupName, Path: GroupName === 'b' ? '/x/' : '/' }))
  }
  const create = iam.send(new CreateGroupCommand({ GroupName: 'A' }))
  await denied(create, 'EntityAlreadyExistsException', 409, 'Group with name A already exists.')
  const names: unknown[] = []
  let Marker: string | undefined
  do {
    const page = await iam.send(new ListGroupsCommand({ MaxItems: 2, Marker }))
    names.push(page.Groups?.map(({ GroupName }) => GroupName))
    ;({ Marker } = page)
  } while (Marker !== undefined)
  assert.deepEqual(names, [['a', 'b'], ['c']])
  const under = await iam.send(new ListGroupsCommand({ PathPrefix: '/x/' }))
  assert.deepEqual(
    under.Groups?.map(({ GroupName }) => GroupName),
    ['b'],
  )
  for (const UserName of ['u1', 'u2', 'u3']) {
    await iam.send(new CreateUserCommand({ UserName }))
    await iam.send(new AddUserToGroupCommand({ GroupName: 'a', UserName }))
  }
  await iam.send(
    new UpdateGroupCommand({ GroupName: 'a', NewGroupName: 'renamed', NewPath: '/y/' }),
  )
  const taken = iam.send(new UpdateGroupCommand({ GroupName: 'renamed', NewGroupName: 'C' }))
  await denied(taken, 'EntityAlreadyExistsException', 409, 'Group with name C already exists.')
  const first = await iam.send(new GetGroupCommand({ GroupName: 'renamed', MaxItems: 2 }))
  const second = await iam.send(new GetGroupCommand({ GroupName: 'renamed', Marker: first.Marker }))
  const members = [...(first.Users ?? []), ...(second.Users ?? [])].map(({ UserName }) => UserName)
  assert.deepEqual(members, ['u1', 'u2', 'u3'])
  const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName: 'u2' }))
  assert.deepEqual(
    Groups?.map(({ Arn }) => Arn),
    [`arn:aws:iam::${accountId}:group/y/renamed`],
  )
  const absent = iam.send(new AddUserToGroupCommand({ GroupName: 'b', UserName: 'nobody' }))
  await denied(absent, 'NoSuchEntityException', 404, 'The user with name nobody cannot be found.')
  const outsider = await newUser('outsider', { Action: 'iam:ListGroups' })
  const add = outsider.iam.send(new AddUserToGroupCommand({ GroupName: 'b', UserName: 'outsider' }))
  await denied(add, 'AccessDenied', 403, /iam:AddUserToGroup on resource: group b/)
})

test('a user is in ten groups at most', async (t) => {
  const {
    root: { iam },
  } = await openIdentities(t)
  const UserName = 'busy'
  await iam.send(new CreateUserCommand({ UserName }))
  for (let count = 0; count < 11; count += 1) {
    const GroupName = `g${count}`
    await iam.send(new CreateGroupCommand({ GroupName }))
    const add = iam.send(new AddUserToGroupCommand({ GroupName, UserName }))
    if (count < 10) await add
    else
      await denied(add, 'LimitExceededException', 409, 'Cannot exceed quota for GroupsPerUser: 10')
  }
})

test('a group cannot be a principal of a key policy', async (t) => {
  const { root } = await openIdentities(t)
  await root.iam.send(new CreateGroupCommand({ GroupName: 'g' }))
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accountId}:group/g` },
    Action: 'kms:*',
    Resource: '*',
  }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statement })
  const made = root.kms.send(new CreateKeyCommand({ Policy }))
  await denied(made, 'MalformedPolicyDocumentException', 400, /principal/)
})
