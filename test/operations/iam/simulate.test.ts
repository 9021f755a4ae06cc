/** Simulations through the official SDK, compared with the server's real decisions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  GetContextKeysForCustomPolicyCommand,
  GetContextKeysForPrincipalPolicyCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
  type EvaluationResult,
  type SimulateCustomPolicyCommandInput,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, GenerateRandomCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { denied, documentOf, notAllowed, openIdentities } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

const key = `arn:aws:kms:us-west-2:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
const policy = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*",
     "Condition": {"StringEquals": {"kms:EncryptionContext:team": "\${aws:PrincipalTag/team}"}}},
    {"Effect": "Allow", "Action": "kms:List*", "Resource": "*"},
      {
        "Sid": "never", "Effect": "Deny", "Action": "kms:ListGrants", "Resource": "*"
      }
  ]
}`

const shown = ({
  EvalActionName,
  EvalResourceName,
  EvalDecision,
  MissingContextValues,
}: EvaluationResult) =>
  [EvalActionName, EvalResourceName, EvalDecision, MissingContextValues] as const

test('given policies yield decisions, matched statements with positions, and missing context keys', async (t) => {
  const { root } = await openIdentities(t)
  const ask = (input: Partial<SimulateCustomPolicyCommandInput>) =>
    root.iam.send(
      new SimulateCustomPolicyCommand({
        PolicyInputList: [policy],
        ActionNames: ['kms:Encrypt', 'kms:ListKeys', 'kms:ListGrants', 'kms:CreateKey'],
        ...input,
      }),
    )
  const { EvaluationResults = [], IsTruncated } = await ask({ ResourceArns: [key] })
  assert.equal(IsTruncated, false)
  const missing = ['kms:encryptioncontext:team']
  assert.deepEqual(EvaluationResults.map(shown), [
    ['kms:Encrypt', key, 'implicitDeny', missing],
    ['kms:ListKeys', key, 'allowed', []],
    ['kms:ListGrants', key, 'explicitDeny', []],
    ['kms:CreateKey', key, 'implicitDeny', []],
  ])
  assert.deepEqual(EvaluationResults[1]?.MatchedStatements, [
    {
      SourcePolicyId: 'PolicyInputList.1',
      SourcePolicyType: 'none',
      StartPosition: { Line: 6, Column: 5 },
      EndPosition: { Line: 6, Column: 64 },
    },
  ])
  assert.deepEqual(EvaluationResults[2]?.MatchedStatements?.[0]?.StartPosition, {
    Line: 7,
    Column: 7,
  })
  assert.deepEqual(EvaluationResults[2]?.MatchedStatements?.[0]?.EndPosition, {
    Line: 9,
    Column: 8,
  })
  const entry = (ContextKeyName: string, ...ContextKeyValues: string[]) =>
    ({ ContextKeyName, ContextKeyValues, ContextKeyType: 'string' }) as const
  const known = await ask({
    ContextEntries: [
      entry('kms:EncryptionContext:team', 'blue'),
      entry('aws:PrincipalTag/TEAM', 'blue'),
    ],
  })
  assert.equal(known.EvaluationResults?.[0]?.EvalDecision, 'allowed')
  const boundary = documentOf({ Action: 'kms:Encrypt' })
  const bounded = await ask({ PermissionsBoundaryPolicyInputList: [boundary] })
  assert.deepEqual(
    bounded.EvaluationResults?.map((one) => [
      one.EvalDecision,
      one.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary,
    ]),
    [
      ['implicitDeny', true],
      ['implicitDeny', false],
      ['explicitDeny', false],
      ['implicitDeny', false],
    ],
  )
  const pages: unknown[] = []
  let Marker: string | undefined
  do {
    const page = await ask({ MaxItems: 3, Marker })
    pages.push(page.EvaluationResults?.map(({ EvalActionName }) => EvalActionName))
    ;({ Marker } = page)
  } while (Marker !== undefined)
  assert.deepEqual(pages, [['kms:Encrypt', 'kms:ListKeys', 'kms:ListGrants'], ['kms:CreateKey']])
})

test('a resource policy takes part in a simulation, for the caller’s account and for another', async (t) => {
  const { root } = await openIdentities(t)
  const CallerArn = 'arn:aws:iam::444455556666:user/guest'
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: CallerArn },
    Action: 'kms:Encrypt',
    Resource: '*',
  }
  const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement: statement })
  const decide = async (own: object | undefined, more: object = {}): Promise<unknown> => {
    const command = new SimulateCustomPolicyCommand({
      PolicyInputList: own === undefined ? [] : [documentOf(own)],
      ActionNames: ['kms:Encrypt'],
      ResourceArns: [key],
      ResourcePolicy,
      CallerArn,
      ...more,
    })
    return (await root.iam.send(command)).EvaluationResults?.[0]?.EvalDecision
  }
  assert.equal(await decide({ Action: 'kms:Encrypt' }), 'allowed')
  assert.equal(await decide({ Action: 'kms:Decrypt' }), 'implicitDeny')
  const ownKey = { ResourceOwner: 'arn:aws:iam::444455556666:root' }
  assert.equal(await decide({ Action: 'kms:Decrypt' }, ownKey), 'allowed')
  assert.equal(await decide({ Action: 'kms:Encrypt', Effect: 'Deny' }, ownKey), 'explicitDeny')
  const message = 'CallerArn is required when ResourcePolicy is given'
  await denied(
    decide({ Action: 'kms:*' }, { CallerArn: undefined }),
    'InvalidInputException',
    400,
    message,
  )
})

test('a simulation of a user’s policies equals the real decisions', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('ada', { Action: ['kms:GenerateRandom', 'kms:CreateKey'] }, '/ops/')
  const simulate = async (): Promise<unknown> => {
    const command = new SimulatePrincipalPolicyCommand({
      PolicySourceArn: user.arn,
      ActionNames: ['kms:GenerateRandom', 'kms:CreateKey', 'kms:ListKeys'],
    })
    const { EvaluationResults } = await root.iam.send(command)
    return EvaluationResults?.map(({ EvalDecision, MatchedStatements }) => [
      EvalDecision,
      MatchedStatements?.map(({ SourcePolicyId }) => SourcePolicyId),
    ])
  }
  const really = async (): Promise<unknown> =>
    Promise.all(
      [
        user.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 })),
        user.kms.send(new CreateKeyCommand({})),
        user.kms.send(new ListKeysCommand({})),
      ].map((call: Promise<unknown>) =>
        call.then(
          () => 'allowed',
          (error: Error) => (/explicit deny/.test(error.message) ? 'explicitDeny' : 'implicitDeny'),
        ),
      ),
    )
  const agree = async (
    expected: readonly (readonly [string, readonly string[]])[],
  ): Promise<void> => {
    assert.deepEqual(await simulate(), expected)
    assert.deepEqual(
      await really(),
      expected.map(([decision]) => decision),
    )
  }
  const own = ['user_ada_own']
  await agree([
    ['allowed', own],
    ['allowed', own],
    ['implicitDeny', []],
  ])
  const { Policy } = await root.iam.send(
    new CreatePolicyCommand({
      PolicyName: 'listing',
      PolicyDocument: documentOf({ Action: 'kms:List*' }),
    }),
  )
  await root.iam.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn: Policy?.Arn }))
  await root.iam.send(new CreateGroupCommand({ GroupName: 'careful' }))
  const PolicyDocument = documentOf({ Effect: 'Deny', Action: 'kms:CreateKey' })
  const deny = { GroupName: 'careful', PolicyName: 'none', PolicyDocument }
  await root.iam.send(new PutGroupPolicyCommand(deny))
  await root.iam.send(new AddUserToGroupCommand({ GroupName: 'careful', UserName: 'ada' }))
  await agree([
    ['allowed', own],
    ['explicitDeny', ['group_careful_none']],
    ['allowed', ['listing']],
  ])
  const bound = { UserName: 'ada', PermissionsBoundary: Policy?.Arn }
  await root.iam.send(new PutUserPermissionsBoundaryCommand(bound))
  await agree([
    ['implicitDeny', []],
    ['explicitDeny', ['group_careful_none']],
    ['allowed', ['listing', 'listing']],
  ])
})

test('the context keys of policies are those of conditions and of policy variables', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const keys = await root.iam.send(
    new GetContextKeysForCustomPolicyCommand({ PolicyInputList: [policy] }),
  )
  assert.deepEqual(keys.ContextKeyNames, ['aws:principaltag/team', 'kms:encryptioncontext:team'])
  const user = await newUser('bob', {
    Action: 'kms:*',
    Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  })
  const PolicySourceArn = user.arn
  const own = await root.iam.send(new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn }))
  assert.deepEqual(own.ContextKeyNames, ['kms:grantisforawsresource'])
  const refused = user.iam.send(new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn }))
  const message = notAllowed(user.arn, 'iam:GetContextKeysForPrincipalPolicy', user.arn)
  await denied(refused, 'AccessDenied', 403, message)
})

test('malformed and oversized simulations are refused', async (t) => {
  const { root } = await openIdentities(t)
  const ActionNames = ['kms:Encrypt']
  const custom = (input: object) =>
    root.iam.send(
      new SimulateCustomPolicyCommand({ PolicyInputList: [policy], ActionNames, ...input }),
    )
  await denied(
    custom({ PolicyInputList: ['{'] }),
    'MalformedPolicyDocumentException',
    400,
    /cannot be read/,
  )
  await denied(
    custom({ ActionNames: ['Encrypt'] }),
    'InvalidInputException',
    400,
    'Invalid action: Encrypt',
  )
  const many = {
    ActionNames: Array.from({ length: 128 }, (_, index) => `kms:A${index}`),
    ResourceArns: Array.from({ length: 100 }, (_, index) => `arn:aws:kms:us-west-2:1:key/${index}`),
  }
  await denied(custom(many), 'InvalidInputException', 400, /more than 5000 decisions/)
  const of = (PolicySourceArn: string) =>
    root.iam.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames }))
  const absent = `arn:aws:iam::${accountId}:user/absent`
  await denied(of(absent), 'NoSuchEntityException', 404, `The principal ${absent} cannot be found.`)
  const foreign = 'arn:aws:iam::444455556666:role/some'
  await denied(
    of(foreign),
    'NoSuchEntityException',
    404,
    `The principal ${foreign} cannot be found.`,
  )
  const odd = `arn:aws:iam::${accountId}:policy/p`
  await denied(of(odd), 'InvalidInputException', 400, `Invalid ARN: ${odd}`)
})
