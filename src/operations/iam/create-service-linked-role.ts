/**
 * CreateServiceLinkedRole — creates the role of an AWS service. AWS sets its name, path and
 * trust policy.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
 * @module
 */
import type {
  CreateServiceLinkedRoleRequest,
  CreateServiceLinkedRoleResponse,
} from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required, text } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { findLinkedService, linkedName, linkedPath, linkedRole } from './linked-services.ts'
import { checkName, roleDescription } from './members.ts'
import { insertRole } from './new-role.ts'
import { madeRole } from './shown-role.ts'

const namePattern = '[\\w+=,.@-]+'

export const createServiceLinkedRole = iamOperation<
  CreateServiceLinkedRoleRequest,
  CreateServiceLinkedRoleResponse
>()({
  name: 'CreateServiceLinkedRole',
  input: {
    AWSServiceName: required(text({ min: 1, max: 128, pattern: namePattern })),
    Description: roleDescription,
    CustomSuffix: text({ min: 1, max: 64, pattern: namePattern }),
  },
  permissions: ({ AWSServiceName, CustomSuffix }) => [
    {
      action: 'iam:CreateServiceLinkedRole',
      iamResource: `role${linkedPath(AWSServiceName)}${nameOf(AWSServiceName, CustomSuffix)}`,
    },
  ],
  context: ({ AWSServiceName }) => ({ 'iam:AWSServiceName': AWSServiceName }),
  readOnly: false,
  audit: ['AWSServiceName', 'Description', 'CustomSuffix'],
  auditResponse: ({ Role }) => ({ role: Role }),
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'LimitExceededException',
  ],
  check({ AWSServiceName, CustomSuffix }) {
    const service = findLinkedService(AWSServiceName)
    if (service === undefined) {
      const message = `the service \`${AWSServiceName}\` has no service-linked role here`
      throw new KmsError('InvalidInputException', message)
    }
    if (CustomSuffix === undefined) return
    if (service.suffixed !== true) {
      const message = `Custom suffix is not allowed for ${AWSServiceName}`
      throw new KmsError('InvalidInputException', message)
    }
    // The longest name that a role can have.
    if (linkedName(service, CustomSuffix).length > 64) {
      throw new KmsError('InvalidInputException', 'the name of the role would be too long')
    }
    checkName('customSuffix', CustomSuffix)
  },
  async run({ input, caller: { accountId }, partition, commit }, dependencies) {
    const { AWSServiceName: serviceLinked, CustomSuffix, Description: description = '' } = input
    const role = linkedRole(
      serviceLinked,
      { accountId, suffix: CustomSuffix, description },
      dependencies,
    )
    const Role = await madeRole(partition, role, dependencies)
    return commit(async (transaction) => {
      await insertRole(role, transaction, () => {
        const message =
          `Service role name ${role.name} has been taken in this account, ` +
          'please try a different suffix.'
        return new KmsError('InvalidInputException', message)
      })
      return { Role }
    })
  },
})

function nameOf(serviceName: string, suffix: string | undefined): string {
  const service = findLinkedService(serviceName)
  // `check` refuses every unknown service.
  if (service === undefined) throw new Error('an unknown service passed the check')
  return linkedName(service, suffix)
}
