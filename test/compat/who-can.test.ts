/** `trent who-can`: which principals can do what with a key, and by which path. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AddUserToGroupCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateGrantCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import type { WhoCanPage } from '../../src/operations/contract/access-questions.ts'
import { callOperator } from '../../src/operator/client.ts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { accountId } from '../harness.ts'
import { documentOf, openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'
import { trentOf } from './trent-command.ts'

test('who can do what is listed with the path: root, group, role, grant', async (t) => {
  const identities = await openIdentities(t)
  const { root, newUser, newRole, server } = identities
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const dora = await newUser('dora')
  await newUser('eve', { Effect: 'Deny', Action: 'kms:*' })
  await root.iam.send(new CreateGroupCommand({ GroupName: 'readers' }))
  const PolicyDocument = documentOf({ Sid: 'Read', Action: 'kms:Decrypt' })
  await root.iam.send(
    new PutGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'read', PolicyDocument }),
  )
  await root.iam.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'dora' }))
  const trust = { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }
  const role = await newRole('app', trust)
  const { GrantId } = await root.kms.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: role.arn, Operations: ['Decrypt'] }),
  )
  const page = (await callOperator(server.directory, 'ListAccess', {
    key: KeyId,
    action: 'kms:Decrypt',
  })) as WhoCanPage
  assert.deepEqual([page.keyArn, page.asked, page.after], [arn, 4, undefined])
  assert.deepEqual(page.named, [])
  const resource = { effect: 'allow', policy: 'resource', statement: 'Enable IAM User Permissions' }
  const actions = ['kms:Decrypt']
  assert.deepEqual(page.access, [
    {
      principal: `arn:aws:iam::${accountId}:root`,
      actions,
      by: [resource, { effect: 'allow', policy: 'identity' }],
    },
    {
      principal: dora.arn,
      actions,
      by: [
        resource,
        {
          effect: 'allow',
          policy: 'identity',
          source: 'group readers, inline policy read',
          statement: 'Read',
        },
      ],
    },
    {
      principal: role.arn,
      actions,
      by: [{ effect: 'allow', policy: 'grant', statement: GrantId }],
    },
  ])
  const text = await trentOf(identities)('who-can', arn)
  assert.match(
    text,
    new RegExp(
      `^${dora.arn}\n  kms:Decrypt\n    statement Enable IAM User Permissions of the key policy allows it\n    statement Read of the identity policies, group readers, inline policy read allows it$`,
      'm',
    ),
  )
  assert.match(text, /root\n {2}kms:CancelKeyDeletion .* kms:Encrypt .*\n/)
  assert.doesNotMatch(text, /user\/eve/)
})

test('who-can reaches across accounts, and names whom it cannot ask about', async (t) => {
  const identities = await openIdentities(t)
  const { root, as, server } = identities
  const made = (await callOperator(server.directory, 'CreateAccount')) as CreatedAccount
  const other = as(made)
  for (const UserName of ['frank', 'grace']) {
    await other.iam.send(new CreateUserCommand({ UserName }))
    const PolicyDocument = documentOf({ Action: 'kms:Encrypt' })
    await other.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'kms', PolicyDocument }))
  }
  const { keyId, arn } = await makeKey(root.kms)
  const frank = `arn:aws:iam::${made.accountId}:user/frank`
  const guest = `arn:aws:sts::${accountId}:federated-user/guest`
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Ours',
        Effect: 'Allow',
        Principal: { AWS: accountId },
        Action: 'kms:*',
        Resource: '*',
      },
      {
        Sid: 'Theirs',
        Effect: 'Allow',
        Principal: { AWS: [frank, guest] },
        Action: 'kms:Encrypt',
        Resource: '*',
      },
    ],
  })
  await root.kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
  const pages: WhoCanPage[] = []
  let after: string | undefined
  do {
    const asked = { key: arn, after }
    const page = (await callOperator(server.directory, 'ListAccess', asked)) as WhoCanPage
    pages.push(page)
    ;({ after } = page)
  } while (after !== undefined)
  const foreign = pages
    .flatMap(({ access }) => access)
    .filter(({ principal }) => principal.includes(made.accountId))
  assert.deepEqual(
    foreign.map(({ principal, actions, by }) => [
      principal,
      actions,
      by.map(({ policy, statement }) => `${policy} ${statement}`),
    ]),
    [[frank, ['kms:Encrypt'], ['resource Theirs', 'identity #0']]],
  )
  const by = { effect: 'allow', policy: 'resource', statement: 'Theirs' }
  assert.deepEqual(pages[0]?.named, [{ principal: guest, by }])
})

test('who-can says whose permissions a boundary limits, and what is beyond it is not theirs', async (t) => {
  const identities = await openIdentities(t)
  const { root, newUser, server } = identities
  const hugo = await newUser('hugo', { Action: ['kms:Encrypt', 'kms:Decrypt'] })
  const PolicyDocument = documentOf({ Action: 'kms:Encrypt' })
  const made = await root.iam.send(new CreatePolicyCommand({ PolicyName: 'edge', PolicyDocument }))
  const bound = { UserName: 'hugo', PermissionsBoundary: made.Policy?.Arn }
  await root.iam.send(new PutUserPermissionsBoundaryCommand(bound))
  const { keyId: key } = await makeKey(root.kms)
  const page = (await callOperator(server.directory, 'ListAccess', { key })) as WhoCanPage
  const his = page.access.filter(({ principal }) => principal === hugo.arn)
  assert.deepEqual(
    his.map(({ actions, bounded }) => [actions, bounded]),
    [[['kms:Encrypt'], true]],
  )
  const text = await trentOf(identities)('who-can', key, 'kms:Encrypt')
  assert.match(text, /hugo\n {2}kms:Encrypt\n(?: {4}.*\n)+ {4}within its permissions boundary$/m)
})

test('who-can answers page by page, and each principal once', async (t) => {
  const identities = await openIdentities(t)
  const { root, server } = identities
  const names = Array.from({ length: 60 }, (_, index) => `u${String(index).padStart(2, '0')}`)
  for (const UserName of names) await root.iam.send(new CreateUserCommand({ UserName }))
  const { keyId: key } = await makeKey(root.kms)
  const first = (await callOperator(server.directory, 'ListAccess', { key })) as WhoCanPage
  assert.deepEqual([first.asked, first.after], [50, `${accountId}/user/u48`])
  const { after } = first
  const second = (await callOperator(server.directory, 'ListAccess', { key, after })) as WhoCanPage
  assert.deepEqual([second.asked, second.after, second.named], [11, undefined, undefined])
})

test('what others named is shown to operators without what a terminal would obey', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const { keyId, arn } = await makeKey(root.kms)
  const Sid = 'x\u001b[2J\u001b]0;owned\u0007\nno user, role or root user can\u009b31m\u202e'
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Sid, Effect: 'Allow', Principal: { AWS: accountId }, Action: 'kms:*', Resource: '*' },
    ],
  })
  await root.kms.send(
    new PutKeyPolicyCommand({
      KeyId: keyId,
      Policy: Policy.replaceAll('\u202e', String.raw`\u202e`),
    }),
  )
  const trent = trentOf(identities)
  const shown = String.raw`x\u001b[2J\u001b]0;owned\u0007\u000ano user, role or root user can\u009b31m\u202e`
  const text = await trent('who-can', arn, 'kms:Encrypt')
  assert.equal(text.includes(`statement ${shown} of the key policy allows it\n`), true)
  const json = await trent('who-can', arn, 'kms:Encrypt', '--json')
  assert.equal((JSON.parse(json) as WhoCanPage).access[0]?.by[0]?.statement, Sid)
  for (const printed of [text, json])
    assert.doesNotMatch(printed.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  const refused = await trent('who-can', 'x\u009b31m').catch((error: unknown) => String(error))
  // A sentence, not the JSON of the answer.
  assert.match(refused, /^trent: Invalid keyId /m)
  assert.doesNotMatch(refused, /__type/)
  assert.doesNotMatch(refused.split('trent: ')[1]?.replaceAll('\n', '') ?? '', /\p{Cc}/u)
})
