/**
 * SimulateCustomPolicy — what policies would say to requests that nobody makes.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
 * @module
 */
import type { SimulateCustomPolicyRequest, SimulatePolicyResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { list, required, structure } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import {
  checkSimulation,
  givenPolicies,
  policyList,
  simulated,
  simulatedCaller,
  simulationInput,
} from './simulation.ts'

export const simulateCustomPolicy = iamOperation<
  SimulateCustomPolicyRequest,
  SimulatePolicyResponse
>()({
  name: 'SimulateCustomPolicy',
  input: {
    PolicyInputList: required(policyList),
    OrderedOrganizationPolicyInputList: list(
      structure({ ServiceControlPolicyInputList: policyList }),
      { max: 10 },
    ),
    ...simulationInput,
  },
  permissions: () => [{ action: 'iam:SimulateCustomPolicy' }],
  readOnly: true,
  audit: ['ActionNames', 'ResourceArns', 'CallerArn', 'MaxItems', 'Marker'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'UnsupportedOperationException',
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'InvalidMarkerException',
  ],
  check(input) {
    checkSimulation(input)
    if ((input.OrderedOrganizationPolicyInputList?.length ?? 0) > 0) {
      const message = 'policies of organisations are not simulated'
      throw new KmsError('UnsupportedOperationException', message)
    }
  },
  run({ input, caller }, { pages }) {
    const [boundary] = givenPolicies(
      'PermissionsBoundaryPolicyInputList',
      input.PermissionsBoundaryPolicyInputList,
    )
    const identity = givenPolicies('PolicyInputList', input.PolicyInputList)
    const as = {
      caller: simulatedCaller(input.CallerArn ?? caller.arn),
      scope: 'SimulateCustomPolicy',
    }
    return simulated(input, { identity, ...(boundary && { boundary }) }, as, pages)
  },
})
