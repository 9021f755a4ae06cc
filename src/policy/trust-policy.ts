/**
 * Checks roles' trust policies when they are written: form, size, and that every named principal
 * exists.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 * @module
 */
import { KmsError } from '../errors.ts'
import { isServicePrincipal } from '../model/service.ts'
import type { PolicyDocument, PolicyPrincipal } from './document.ts'
import { principalsOf } from './key-policy.ts'
import { describeFault, type PolicyFault } from './malformed.ts'
import { readPolicy } from './validate.ts'

/** Characters, without white space. */
const sizeMax = 2048

export interface TrustPolicyWriting {
  readonly partition: string
  /** As for key policies: the unique id of a principal by its ARN; undefined when it does not exist. */
  readonly principalExists: (arn: string) => Promise<string | undefined>
}

/**
 * Checks a caller's policy. Returns the unique ids of the users, roles and sessions that it names, by
 * ARN.
 * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
 */
export async function checkTrustPolicy(
  text: string,
  writing: TrustPolicyWriting,
): Promise<Readonly<Record<string, string>>> {
  const result = readPolicy(text, 'trust')
  if (!result.ok) throw malformedTrustPolicy(result.fault)
  if (text.replaceAll(/\s/g, '').length > sizeMax) throw tooLong()
  requireServices(result.document)
  const found: (readonly [string, string])[] = []
  for (const principal of principalsOf(result.document)) {
    const uniqueId = await uniqueIdOf(principal, writing)
    if (uniqueId === undefined) throw invalidPrincipal('AWS', nameOf(principal))
    if ('arn' in principal) found.push([principal.arn, uniqueId])
  }
  return Object.fromEntries(found)
}

function requireServices({ statements }: PolicyDocument): void {
  for (const { principals } of statements) {
    for (const entry of principals?.entries ?? []) {
      if (entry.kind === 'service' && !isServicePrincipal(entry.name)) {
        throw invalidPrincipal('SERVICE', entry.name)
      }
    }
  }
}

async function uniqueIdOf(
  principal: PolicyPrincipal,
  { partition, principalExists }: TrustPolicyWriting,
): Promise<string | undefined> {
  if ('partition' in principal && principal.partition !== partition) return undefined
  if ('arn' in principal) return principalExists(principal.arn)
  if (principal.kind !== 'account') return undefined
  return principalExists(`arn:${partition}:iam::${principal.accountId}:root`)
}

function nameOf(principal: PolicyPrincipal): string {
  if ('arn' in principal) return principal.arn
  if (principal.kind !== 'account') return ''
  const { accountId, partition } = principal
  return partition === undefined ? accountId : `arn:${partition}:iam::${accountId}:root`
}

function malformedTrustPolicy(fault: PolicyFault): KmsError {
  if (fault.kind === 'size') return tooLong()
  if (fault.kind === 'principal' && fault.named !== undefined) {
    return invalidPrincipal(fault.named.type.toUpperCase(), fault.named.name)
  }
  return new KmsError('MalformedPolicyDocumentException', saidOf(fault))
}

function saidOf(fault: PolicyFault): string {
  if (fault.kind === 'json') return 'This policy contains invalid Json'
  if (fault.kind !== 'structure') return describeFault(fault)
  return structures.get(`${fault.at}: ${fault.problem}`) ?? describeFault(fault)
}

/** AWS's messages for faults that have Trent's own words in other policies. */
const structures: ReadonlyMap<string, string> = new Map([
  [
    'Version: it is neither 2012-10-17 nor 2008-10-17',
    'The policy must contain a valid version string',
  ],
  ['Statement: it is empty', 'Could not parse the policy: Statement is empty!'],
  ['Statement: two statements have the same Sid', 'The Statement Ids in the policy are not unique'],
])

/** Maximum characters quoted of a caller's name. */
const toldMax = 1024

/** AWS writes the kind in capitals: `"SERVICE":"example.com"`. */
function invalidPrincipal(type: string, name: string): KmsError {
  const says = `Invalid principal in policy: "${type.slice(0, toldMax)}":"${name.slice(0, toldMax)}"`
  return new KmsError('MalformedPolicyDocumentException', says)
}

function tooLong(): KmsError {
  return new KmsError(
    'LimitExceededException',
    `Cannot exceed quota for ACLSizePerRole: ${sizeMax}`,
  )
}
