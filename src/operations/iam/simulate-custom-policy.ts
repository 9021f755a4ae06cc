/**
 * SimulateCustomPolicy — returns what the given policies would decide on the given requests.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
 * @module
 */
import type { SimulateCustomPolicyRequest, SimulatePolicyResponse } from '@aws-sdk/client-iam'
import { list, required, structure } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkSimulation,
  givenLevels,
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
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'InvalidMarkerException',
  ],
  check: checkSimulation,
  async run({ input, caller, origin, signal }, { pages }) {
    const [boundary] = await givenPolicies(
      'PermissionsBoundaryPolicyInputList',
      input.PermissionsBoundaryPolicyInputList,
      signal,
    )
    const identity = await givenPolicies('PolicyInputList', input.PolicyInputList, signal)
    const as = {
      caller: simulatedCaller(input.CallerArn ?? caller.arn),
      scope: 'SimulateCustomPolicy',
      secure: origin.secure,
      signal,
    }
    const levels = (input.OrderedOrganizationPolicyInputList ?? []).map(
      ({ ServiceControlPolicyInputList = [] }) => ServiceControlPolicyInputList,
    )
    const organization = await givenLevels('OrderedOrganizationPolicyInputList', levels, signal)
    const simulation = { identity, ...(boundary && { boundary }), organization }
    return simulated(input, simulation, as, pages)
  },
})
