/**
 * CreateRole — creates a role in the caller's account, with its trust policy.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 * @module
 */
import type { CreateRoleRequest, CreateRoleResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { identifierOf, uniqueIdCharacters } from '../../model/identity.ts'
import { maxSessionSecondsByDefault } from '../../model/role.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  boundaryIdOf,
  checkBoundaryArn,
  requestBoundary,
  takeBoundary,
} from './permissions-boundaries.ts'
import {
  checkName,
  checkPath,
  checkTags,
  maxSessionDuration,
  path,
  policyArn,
  policyDocument,
  roleDescription,
  roleName,
  tags,
} from './members.ts'
import { insertRole } from './new-role.ts'
import { madeRole } from './shown-role.ts'
import { requestTags } from './shown-user.ts'

/** The path of service-linked roles. */
export const reservedPath = '/aws-service-role/'

export const createRole = iamOperation<CreateRoleRequest, CreateRoleResponse>()({
  name: 'CreateRole',
  input: {
    Path: path,
    RoleName: required(roleName),
    AssumeRolePolicyDocument: required(policyDocument),
    Description: roleDescription,
    MaxSessionDuration: maxSessionDuration,
    PermissionsBoundary: policyArn,
    Tags: tags,
  },
  role: { from: 'RoleName', action: 'iam:CreateRole', absent: 'made' },
  permissions: ({ Path = '/', RoleName, Tags = [] }) =>
    Tags.length === 0 ? [] : [{ action: 'iam:TagRole', iamResource: `role${Path}${RoleName}` }],
  context: ({ Tags, PermissionsBoundary }) => ({
    ...requestTags(Tags),
    ...requestBoundary(PermissionsBoundary),
  }),
  readOnly: false,
  audit: [
    'Path',
    'RoleName',
    'AssumeRolePolicyDocument',
    'Description',
    'MaxSessionDuration',
    'PermissionsBoundary',
    'Tags',
  ],
  auditResponse: ({ Role }) => ({ role: Role }),
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
    'EntityAlreadyExistsException',
    'LimitExceededException',
  ],
  check({ RoleName, Path, Tags, PermissionsBoundary }) {
    checkName('roleName', RoleName)
    checkPath(Path)
    checkTags(Tags)
    if (Path?.startsWith(reservedPath) === true) {
      const message = `the path \`${reservedPath}\` is reserved for service-linked roles`
      throw new KmsError('InvalidInputException', message)
    }
    checkBoundaryArn(PermissionsBoundary)
  },
  async run(call, dependencies) {
    const { input, partition } = call
    const { accountId } = call.caller
    const { RoleName: name, Path = '/', AssumeRolePolicyDocument: trustPolicy } = input
    const { clock, random, trustPolicies } = dependencies
    const role = {
      roleId: identifierOf('AROA', random.bytes(uniqueIdCharacters)),
      accountId,
      name,
      path: Path,
      trustPolicy,
      trustPrincipals: await trustPolicies.check(trustPolicy, { partition }),
      inlinePolicies: {},
      attachedPolicies: [],
      tags: input.Tags ?? [],
      description: input.Description ?? '',
      maxSessionSeconds: input.MaxSessionDuration ?? maxSessionSecondsByDefault,
      createdAt: clock.now(),
    }
    const { PermissionsBoundary: boundary } = input
    const bounded =
      boundary === undefined
        ? role
        : { ...role, permissionsBoundary: await boundaryIdOf(boundary, call, dependencies.store) }
    const Role = await madeRole(partition, bounded, dependencies)
    return call.commit(async (transaction) => {
      // Looks the policy up again: another policy of this name may have replaced it.
      const made =
        boundary === undefined
          ? role
          : { ...role, permissionsBoundary: await takeBoundary(boundary, call, transaction) }
      await insertRole(made, transaction, () => {
        const message = `Role with name ${name} already exists.`
        return new KmsError('EntityAlreadyExistsException', message)
      })
      return { Role }
    })
  },
})
