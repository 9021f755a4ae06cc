/**
 * AWS's own managed policies, as far as they concern the services that Trent offers, each in its
 * default version. Every account has them, and no account can change them.
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 * @module
 */
import type { ManagedPolicyRecord } from './managed-policy.ts'

/** Stands for the account in their ARNs: `arn:aws:iam::aws:policy/AdministratorAccess`. */
export const awsAccountId = 'aws'

/** Trent's own ids, because AWS's are not published. */
export const multiRegionPolicyId = 'ANPAZKAPJZG4MRKSYNCKY'
export const customKeyStoresPolicyId = 'ANPAZKAPJZG4CKSHSMCLU'
const serviceRolePath = '/aws-service-role/'

interface Published {
  readonly name: string
  /** `/` if omitted. */
  readonly path?: string
  readonly policyId: string
  readonly description: string
  readonly versionId: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly statements: readonly object[]
}

const allow = (Action: string | readonly string[]): object => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
})

const published: readonly Published[] = [
  {
    name: 'AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy',
    path: serviceRolePath,
    policyId: customKeyStoresPolicyId,
    description:
      'Enables access to AWS services and resources required for AWS KMS custom key stores.',
    versionId: 'v2',
    createdAt: '2018-11-14T20:10:53Z',
    updatedAt: '2023-11-10T19:03:58Z',
    statements: [
      allow([
        'cloudhsm:Describe*',
        'ec2:CreateNetworkInterface',
        'ec2:AuthorizeSecurityGroupIngress',
        'ec2:CreateSecurityGroup',
        'ec2:DescribeSecurityGroups',
        'ec2:RevokeSecurityGroupEgress',
        'ec2:DeleteSecurityGroup',
        'ec2:DescribeVpcs',
        'ec2:DescribeNetworkAcls',
        'ec2:DescribeNetworkInterfaces',
      ]),
    ],
  },
  {
    name: 'AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy',
    path: serviceRolePath,
    policyId: multiRegionPolicyId,
    description: 'Enables AWS KMS to synchronize the shared properties of multi-Region keys.',
    versionId: 'v2',
    createdAt: '2021-06-16T15:37:00Z',
    updatedAt: '2024-11-13T22:53:00Z',
    statements: [
      {
        Sid: 'KMSSynchronizeMultiRegionKey',
        Effect: 'Allow',
        Action: ['kms:SynchronizeMultiRegionKey'],
        Resource: '*',
      },
    ],
  },
  {
    name: 'AWSKeyManagementServicePowerUser',
    policyId: 'ANPAJNPP7PPPPMJRV2SA4',
    description: 'Provides access to AWS Key Management Service (KMS).',
    versionId: 'v2',
    createdAt: '2015-02-06T18:40:40Z',
    updatedAt: '2017-03-07T00:55:11Z',
    statements: [
      allow([
        'kms:CreateAlias',
        'kms:CreateKey',
        'kms:DeleteAlias',
        'kms:Describe*',
        'kms:GenerateRandom',
        'kms:Get*',
        'kms:List*',
        'kms:TagResource',
        'kms:UntagResource',
        'iam:ListGroups',
        'iam:ListRoles',
        'iam:ListUsers',
      ]),
    ],
  },
  {
    name: 'AdministratorAccess',
    policyId: 'ANPAIWMBCKSKIEE64ZLYK',
    description: 'Provides full access to AWS services and resources.',
    versionId: 'v1',
    createdAt: '2015-02-06T18:39:46Z',
    updatedAt: '2015-02-06T18:39:46Z',
    statements: [allow('*')],
  },
  {
    name: 'IAMFullAccess',
    policyId: 'ANPAI7XKCFMBPM3QQRRVQ',
    description: 'Provides full access to IAM via the AWS Management Console.',
    versionId: 'v2',
    createdAt: '2015-02-06T18:40:38Z',
    updatedAt: '2019-06-21T19:40:00Z',
    statements: [
      allow([
        'iam:*',
        'organizations:DescribeAccount',
        'organizations:DescribeOrganization',
        'organizations:DescribeOrganizationalUnit',
        'organizations:DescribePolicy',
        'organizations:ListChildren',
        'organizations:ListParents',
        'organizations:ListPoliciesForTarget',
        'organizations:ListRoots',
        'organizations:ListPolicies',
        'organizations:ListTargetsForPolicy',
      ]),
    ],
  },
  {
    name: 'IAMReadOnlyAccess',
    policyId: 'ANPAJKSO7NDY4T57MWDSQ',
    description: 'Provides read only access to IAM via the AWS Management Console.',
    versionId: 'v4',
    createdAt: '2015-02-06T18:40:39Z',
    updatedAt: '2018-01-25T19:11:27Z',
    statements: [
      allow([
        'iam:GenerateCredentialReport',
        'iam:GenerateServiceLastAccessedDetails',
        'iam:Get*',
        'iam:List*',
        'iam:SimulateCustomPolicy',
        'iam:SimulatePrincipalPolicy',
      ]),
    ],
  },
]

function recordOf({ statements, createdAt, updatedAt, ...policy }: Published): ManagedPolicyRecord {
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 4)
  const [made, changed] = [Date.parse(createdAt), Date.parse(updatedAt)]
  const { versionId } = policy
  return {
    path: '/',
    ...policy,
    accountId: awsAccountId,
    versions: [{ versionId, document, createdAt: changed }],
    defaultVersionId: versionId,
    nextVersion: Number(versionId.slice(1)) + 1,
    attachments: 0,
    boundaries: 0,
    tags: [],
    createdAt: made,
    updatedAt: changed,
    rowVersion: 1,
  }
}

/** By name. */
export const awsManagedPolicies: readonly ManagedPolicyRecord[] = published.map(recordOf)

const byId = new Map(awsManagedPolicies.map((policy) => [policy.policyId, policy]))
const byName = new Map(awsManagedPolicies.map((policy) => [policy.name, policy]))

/** Finds a policy by its unique id. */
export function awsManagedPolicy(policyId: string): ManagedPolicyRecord | undefined {
  return byId.get(policyId)
}

export function awsManagedPolicyNamed(name: string): ManagedPolicyRecord | undefined {
  return byName.get(name)
}

/** Whether only service-linked roles can have the policy. */
export function isServiceRolePolicy({
  accountId,
  path,
}: Pick<ManagedPolicyRecord, 'accountId' | 'path'>): boolean {
  return accountId === awsAccountId && path === serviceRolePath
}

/** Whether AWS owns the policy, so that no account can change it. */
export function isAwsManaged({ accountId }: Pick<ManagedPolicyRecord, 'accountId'>): boolean {
  return accountId === awsAccountId
}
