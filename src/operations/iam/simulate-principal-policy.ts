/**
 * SimulatePrincipalPolicy — returns what the policies of a user, a group or a role would decide on the
 * given requests, together with further given policies.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 * @module
 */
import type { SimulatePolicyResponse, SimulatePrincipalPolicyRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { list, required, structure, text } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { policyArn } from './members.ts'
import { policiesOfPrincipal } from './principal-policies.ts'
import {
  checkSimulation,
  givenLevels,
  givenPolicies,
  policyList,
  simulated,
  simulatedCaller,
  simulationInput,
} from './simulation.ts'

const shortText = text({ min: 1, max: 128 })

export const simulatePrincipalPolicy = iamOperation<
  Omit<SimulatePrincipalPolicyRequest, 'PolicyExclusionList'>,
  SimulatePolicyResponse
>()({
  name: 'SimulatePrincipalPolicy',
  input: {
    PolicySourceArn: required(policyArn),
    PolicyInputList: policyList,
    PolicyExclusionList: list(
      structure({
        PolicyArn: policyArn,
        PolicyType: shortText,
        InlinePolicyIdentifier: structure({
          PolicyName: shortText,
          AttachmentType: shortText,
          AttachmentName: shortText,
        }),
      }),
      { max: 100 },
    ),
    ...simulationInput,
  },
  permissions: ({ PolicySourceArn }) => [
    { action: 'iam:SimulatePrincipalPolicy', arn: PolicySourceArn },
  ],
  readOnly: true,
  audit: ['PolicySourceArn', 'ActionNames', 'ResourceArns', 'CallerArn', 'MaxItems', 'Marker'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'UnsupportedOperationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
    'InvalidMarkerException',
  ],
  check(input) {
    checkSimulation(input)
    if ((input.PolicyExclusionList?.length ?? 0) > 0) {
      throw new KmsError('UnsupportedOperationException', 'PolicyExclusionList is not supported')
    }
  },
  async run({ input, origin, caller: { accountId }, signal }, { store, pages }) {
    const { PolicySourceArn: arn, CallerArn = arn } = input
    const { uniqueId, identity, boundary } = await policiesOfPrincipal(arn, accountId, store)
    const [given] = await givenPolicies(
      'PermissionsBoundaryPolicyInputList',
      input.PermissionsBoundaryPolicyInputList,
      signal,
    )
    // A boundary in the request replaces the principal's own.
    const bound = given ?? boundary
    const { organization } = (await store.findAccount(accountId)) ?? {}
    // Service control policies do not apply to service-linked roles.
    const linked = arn.includes(':role/aws-service-role/')
    const levels = (linked ? undefined : organization?.serviceControlPolicies) ?? []
    const more = await givenPolicies('PolicyInputList', input.PolicyInputList, signal)
    const simulation = {
      organization: await givenLevels('OrderedOrganizationPolicyInputList', levels, signal),
      identity: [...identity, ...more],
      ...(bound && { boundary: bound }),
    }
    const caller = simulatedCaller(CallerArn, CallerArn === arn ? uniqueId : CallerArn)
    const as = { caller, scope: `SimulatePrincipalPolicy/${arn}`, secure: origin.secure, signal }
    return simulated(input, simulation, as, pages)
  },
})
