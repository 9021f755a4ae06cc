/**
 * CreateGrant — lets a principal use a key without changing the key policy.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 * @module
 */
import type { CreateGrantRequest, CreateGrantResponse } from '@aws-sdk/client-kms'
import type { Caller } from '../../model/caller.ts'
import { requestDigest, type GrantRecord } from '../../model/grant.ts'
import type { KeyState } from '../../model/key.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { grantConstraintEntries } from './context-entries.ts'
import {
  findGrantPrincipal,
  findInfrastructure,
  requireGranteeWithinService,
} from './grant-principals.ts'
import {
  checkGrant,
  normalizedConstraints,
  requireGrantable,
  requireGrantQuota,
} from './grant-rules.ts'
import {
  dryRun,
  grantConstraints,
  grantName,
  grantOperationList,
  grantTokens,
  principal,
  requiredKeyId,
  servicePrincipal,
} from './members.ts'
import type { Principals } from '../contract/dependencies.ts'

const states: readonly KeyState[] = ['Enabled', 'Unavailable', 'Updating']

export const createGrant = operation<CreateGrantRequest, CreateGrantResponse>()({
  name: 'CreateGrant',
  input: {
    KeyId: requiredKeyId,
    GranteePrincipal: principal,
    RetiringPrincipal: principal,
    Operations: required(grantOperationList),
    Constraints: grantConstraints,
    GrantTokens: grantTokens,
    Name: grantName,
    DryRun: dryRun,
    GranteeServicePrincipal: servicePrincipal,
    RetiringServicePrincipal: servicePrincipal,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:CreateGrant',
      crossAccount: true,
      states,
    },
  },
  principalMembers: ['GranteePrincipal', 'RetiringPrincipal'],
  requestedGrant: ({ Operations, Constraints }) => {
    const constraints = normalizedConstraints(Constraints)
    return { operations: Operations, ...(constraints && { constraints }) }
  },
  context: (input) => ({
    ...grantConstraintEntries(normalizedConstraints(input.Constraints)),
    'kms:GrantConstraintSourceArn': input.Constraints?.SourceArn,
    'kms:GrantOperations': input.Operations,
    'kms:GranteePrincipal': input.GranteePrincipal,
    'kms:GranteeServicePrincipal': input.GranteeServicePrincipal,
    'kms:RetiringPrincipal': input.RetiringPrincipal,
    'kms:RetiringServicePrincipal': input.RetiringServicePrincipal,
    'kms:GrantIsForAWSResource': 'false',
  }),
  readOnly: false,
  audit: [
    'KeyId',
    'GranteePrincipal',
    'GranteeServicePrincipal',
    'RetiringPrincipal',
    'RetiringServicePrincipal',
    'Operations',
    'Constraints',
    'Name',
    'DryRun',
  ],
  // Never the grant token: it is a credential.
  auditResponse: ({ GrantId }, arns) => ({ grantId: GrantId, keyId: arns.key }),
  throws: [
    'ValidationException',
    'InvalidGrantTokenException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'DisabledException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'DryRunOperationException',
  ],
  check: checkGrant,
  async run({ input, caller, partition, keys: { key }, commit }, dependencies) {
    const operations = [...new Set(input.Operations)]
    const constraints = normalizedConstraints(input.Constraints)
    requireGrantable(key, operations, constraints)
    const { accountId, region, keyId } = key
    const wanted: Requested = {
      accountId,
      region,
      keyId,
      ...(input.Name !== undefined && { name: input.Name }),
      ...(await principalsOf(input, caller, partition, dependencies.principals)),
      // A service has no account: its grants belong to the account of the key.
      issuingAccountId: caller.service === undefined ? caller.accountId : accountId,
      operations,
      ...(constraints && { constraints }),
    }
    const grantId = Buffer.from(dependencies.random.bytes(32)).toString('hex')
    const createdAt = dependencies.clock.now()
    return commit(async (transaction) => {
      // Locks the key's row, so that the later of two equal requests finds the grant.
      await transaction.confirmKey(key)
      const same =
        wanted.name === undefined
          ? undefined
          : await transaction.findSameGrant(key, requestDigest(wanted))
      if (same === undefined) {
        const grantee = wanted.granteePrincipal ?? wanted.granteeServicePrincipal ?? ''
        await requireGrantQuota(transaction, key, grantee, dependencies.quotas.resources)
      }
      const grant = same ?? (await transaction.insertGrant({ ...wanted, grantId, createdAt }))
      return { GrantToken: dependencies.grantTokens.seal(grant), GrantId: grant.grantId }
    })
  },
})

type Requested = Omit<GrantRecord, 'grantId' | 'createdAt' | 'rowVersion'>

type Parties = Pick<
  GrantRecord,
  | 'granteePrincipal'
  | 'granteeId'
  | 'granteeServicePrincipal'
  | 'retiringPrincipal'
  | 'retiringId'
  | 'retiringServicePrincipal'
>

async function principalsOf(
  input: CreateGrantInput,
  caller: Caller,
  partition: string,
  principals: Principals,
): Promise<Parties> {
  const { GranteePrincipal, GranteeServicePrincipal } = input
  const { RetiringPrincipal, RetiringServicePrincipal } = input
  const find = async (
    text: string | undefined,
    member: string,
  ): Promise<{ readonly arn: string; readonly uniqueId: string } | undefined> => {
    if (text === undefined) return undefined
    const refused = `${member} does not refer to a valid principal.`
    const infrastructure = await findInfrastructure(text, caller, principals, refused)
    return infrastructure ?? findGrantPrincipal(text, partition, principals, refused)
  }
  requireGranteeWithinService(caller, GranteePrincipal)
  const grantee = await find(GranteePrincipal, 'GranteePrincipal')
  const retiring = await find(RetiringPrincipal, 'RetiringPrincipal')
  return {
    ...(grantee && { granteePrincipal: grantee.arn, granteeId: grantee.uniqueId }),
    ...(GranteeServicePrincipal && { granteeServicePrincipal: GranteeServicePrincipal }),
    ...(retiring && { retiringPrincipal: retiring.arn, retiringId: retiring.uniqueId }),
    ...(RetiringServicePrincipal && { retiringServicePrincipal: RetiringServicePrincipal }),
  }
}

interface CreateGrantInput {
  readonly GranteePrincipal?: string
  readonly GranteeServicePrincipal?: string
  readonly RetiringPrincipal?: string
  readonly RetiringServicePrincipal?: string
}
