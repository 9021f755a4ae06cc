/** The simulation of policies: input members, checks, decisions and answers. @module */
import type { PolicyKind } from '../../policy/document.ts'
import { malformedPolicy } from '../../policy/malformed.ts'
import {
  contextKeysOf,
  simulatedPolicy,
  simulator,
  type MatchedStatement,
  type Simulated,
  type SimulatedPolicy,
  type Simulation,
} from '../../policy/simulate.ts'
import { readPolicy } from '../../policy/validate.ts'
import { newWork, stepsMax } from '../../policy/work.ts'
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import type { Caller } from '../../model/caller.ts'
import { pause } from '../../model/pause.ts'
import { list, oneOf, required, structure, text } from '../../model/shape.ts'
import { markerAfter } from '../contract/page.ts'
import { marker, maxItems, policyDocument } from './members.ts'
import { pageOf } from './page.ts'
import type { Pages } from '../contract/dependencies.ts'

export const policyList = list(policyDocument, { max: 100 })

export const simulationInput = {
  PermissionsBoundaryPolicyInputList: policyList,
  ActionNames: required(list(text({ min: 3, max: 128 }), { max: 128 })),
  ResourceArns: list(text({ min: 1, max: 2048 }), { max: 1000 }),
  ResourcePolicy: policyDocument,
  ResourceOwner: text({ min: 1, max: 2048 }),
  CallerArn: text({ min: 1, max: 2048 }),
  ContextEntries: list(
    structure({
      ContextKeyName: text({ min: 5, max: 256 }),
      ContextKeyValues: list(text({ max: 2048 }), { max: 256 }),
      ContextKeyType: oneOf([
        'string',
        'stringList',
        'numeric',
        'numericList',
        'boolean',
        'booleanList',
        'ip',
        'ipList',
        'binary',
        'binaryList',
        'date',
        'dateList',
      ]),
    }),
    { max: 256 },
  ),
  ResourceHandlingOption: text({ min: 1, max: 64 }),
  MaxItems: maxItems,
  Marker: marker,
} as const

export interface SimulationRequest {
  readonly PermissionsBoundaryPolicyInputList?: readonly string[]
  readonly ActionNames: readonly string[]
  readonly ResourceArns?: readonly string[]
  readonly ResourcePolicy?: string
  readonly ResourceOwner?: string
  readonly CallerArn?: string
  readonly ContextEntries?: readonly {
    readonly ContextKeyName?: string
    readonly ContextKeyValues?: readonly string[]
  }[]
  readonly MaxItems?: number
  readonly Marker?: string
}

/** The most decisions of one call, over all of its pages. */
const decisionsMax = 5000

/** @throws {KmsError} `InvalidInputException` */
export function checkSimulation(input: SimulationRequest): void {
  const { ActionNames, ResourceArns = ['*'], ResourcePolicy, CallerArn } = input
  const wrong = ActionNames.find((name) => !/^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$/.test(name))
  if (wrong !== undefined) throw invalid(`Invalid action: ${wrong}`)
  if (ActionNames.length * ResourceArns.length > decisionsMax) {
    throw invalid(`more than ${decisionsMax} decisions in one call`)
  }
  if (ResourcePolicy !== undefined && CallerArn === undefined) {
    throw invalid('CallerArn is required when ResourcePolicy is given')
  }
  if ((input.PermissionsBoundaryPolicyInputList?.length ?? 0) > 1) {
    throw invalid('only one permissions boundary can be given')
  }
}

/**
 * Reads policies of a request. Their ids are AWS's, such as `PolicyInputList.1`.
 * @throws {KmsError} `MalformedPolicyDocumentException`
 */
export async function givenPolicies(
  member: string,
  texts: readonly string[] = [],
  signal: AbortSignal,
): Promise<readonly SimulatedPolicy[]> {
  const policies: SimulatedPolicy[] = []
  for (const [index, document] of texts.entries()) {
    policies.push(readSimulated(`${member}.${index + 1}`, 'none', document))
    await pause(signal)
  }
  return policies
}

/** Reads service control policies, level by level. @throws {KmsError} `MalformedPolicyDocumentException` */
export async function givenLevels(
  member: string,
  levels: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<readonly (readonly SimulatedPolicy[])[]> {
  const read: SimulatedPolicy[][] = []
  for (const [level, texts] of levels.entries()) {
    const policies: SimulatedPolicy[] = []
    for (const [index, document] of texts.entries()) {
      const id = `${member}.${level + 1}.ServiceControlPolicyInputList.${index + 1}`
      policies.push(readSimulated(id, 'none', document, 'service-control'))
      await pause(signal)
    }
    read.push(policies)
  }
  return read
}

/** @throws {KmsError} `MalformedPolicyDocumentException` */
export function readSimulated(
  id: string,
  type: SimulatedPolicy['type'],
  policy: string,
  kind: PolicyKind = type === 'resource' ? 'key' : 'identity',
): SimulatedPolicy {
  const result = readPolicy(policy, kind)
  if (!result.ok) throw malformedPolicy(result.fault)
  return simulatedPolicy(id, type, policy, result.document, kind)
}

interface ShownStatement {
  readonly SourcePolicyId: string
  readonly SourcePolicyType: SimulatedPolicy['type']
  readonly StartPosition?: { readonly Line: number; readonly Column: number }
  readonly EndPosition?: { readonly Line: number; readonly Column: number }
}

interface ShownResult {
  readonly EvalActionName: string
  readonly EvalResourceName: string
  readonly EvalDecision: 'allowed' | 'explicitDeny' | 'implicitDeny'
  readonly MatchedStatements: ShownStatement[]
  readonly MissingContextValues: string[]
  readonly PermissionsBoundaryDecisionDetail?: { readonly AllowedByPermissionsBoundary: boolean }
  readonly OrganizationsDecisionDetail?: { readonly AllowedByOrganizations: boolean }
}

/**
 * Limits of one page: the steps of its decisions together, and the matching statements that it shows. A page
 * that reaches one of them ends early, after at least one decision; the next page continues there.
 */
const pageStepsMax = 4 * stepsMax
const shownStatementsMax = 5_000

/** Decides each action on each resource, one page at a time. */
export async function simulated(
  input: SimulationRequest,
  simulation: Simulation,
  as: {
    readonly caller: Caller
    readonly scope: string
    readonly secure: boolean
    readonly signal: AbortSignal
  },
  pages: Pages,
): Promise<{
  readonly EvaluationResults: ShownResult[]
  readonly IsTruncated: boolean
  readonly Marker?: string
}> {
  const resource =
    input.ResourcePolicy === undefined
      ? undefined
      : readSimulated('ResourcePolicy', 'resource', input.ResourcePolicy)
  const simulate = simulator({ ...simulation, ...(resource && { resource }) }, as.caller)
  const { ActionNames, ResourceArns = ['*'] } = input
  const pairs = ActionNames.flatMap((action) => ResourceArns.map((arn) => ({ action, arn })))
  const numbered = pairs.map((pair, index) => ({ ...pair, place: String(index).padStart(5, '0') }))
  const scope = [as.scope, as.caller.arn]
  const { rows, paging } = await pageOf(numbered, ({ place }) => place, pages, {
    scope,
    marker: input.Marker,
    limit: input.MaxItems,
  })
  const context = contextOf(input, as)
  const results: ShownResult[] = []
  let steps = 0
  let statements = 0
  for (const [index, { action, arn, place }] of rows.entries()) {
    const work = newWork()
    const accountId = ownerOf(input, arn) ?? as.caller.accountId
    const result = simulate({ action, resource: { arn, accountId }, context, work })
    results.push(shownResult(action, arn, result))
    steps += stepsMax - work.left
    statements += result.matched.length
    const full = steps >= pageStepsMax || statements >= shownStatementsMax
    if (full && index + 1 < rows.length) {
      const Marker = markerAfter(place, pages, { scope })
      return { EvaluationResults: results, IsTruncated: true, Marker }
    }
    await pause(as.signal)
  }
  return { EvaluationResults: results, ...paging }
}

/** The account that owns a resource with a policy; undefined if neither the request nor the ARN names it. */
function ownerOf(
  { ResourcePolicy, ResourceOwner }: SimulationRequest,
  arn: string,
): string | undefined {
  const owner = parseArn(ResourceOwner ?? '')?.accountId ?? parseArn(arn)?.accountId
  return ResourcePolicy === undefined || owner === '' ? undefined : owner
}

function shownResult(
  action: string,
  arn: string,
  { decision, matched, missing, allowedByBoundary, allowedByOrganization }: Simulated,
): ShownResult {
  return {
    EvalActionName: action,
    EvalResourceName: arn,
    EvalDecision: decision,
    MatchedStatements: matched.map(shownStatement),
    MissingContextValues: [...missing],
    ...(allowedByBoundary !== undefined && {
      PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: allowedByBoundary },
    }),
    ...(allowedByOrganization !== undefined && {
      OrganizationsDecisionDetail: { AllowedByOrganizations: allowedByOrganization },
    }),
  }
}

function shownStatement({ policy, range }: MatchedStatement): ShownStatement {
  return {
    SourcePolicyId: policy.id,
    SourcePolicyType: policy.type,
    ...(range && {
      StartPosition: { Line: range.start.line, Column: range.start.column },
      EndPosition: { Line: range.end.line, Column: range.end.column },
    }),
  }
}

/** The condition keys of a simulation: those of its caller and connection, then those of the request. */
function contextOf(
  { ContextEntries = [] }: SimulationRequest,
  { caller, secure }: { readonly caller: Caller; readonly secure: boolean },
): ReadonlyMap<string, readonly string[]> {
  const context = new Map<string, readonly string[]>([
    ['aws:principalarn', [caller.arn]],
    ['aws:principalaccount', [caller.accountId]],
    ['aws:userid', [caller.uniqueId]],
    ['aws:securetransport', [String(secure)]],
    ...(caller.userName === undefined ? [] : [['aws:username', [caller.userName]] as const]),
  ])
  for (const { ContextKeyName = '', ContextKeyValues = [] } of ContextEntries) {
    context.set(ContextKeyName.toLowerCase(), ContextKeyValues)
  }
  return context
}

/** The caller whose requests are simulated, from its ARN. @throws {KmsError} `InvalidInputException` */
export function simulatedCaller(arn: string, uniqueId = arn): Caller {
  const parsed = parseArn(arn)
  const user = /^user\/(?:.*\/)?([^/]+)$/.exec(parsed?.resource ?? '')?.[1]
  if (parsed === undefined || !['iam', 'sts'].includes(parsed.service)) {
    throw invalid(`Invalid ARN: ${arn}`)
  }
  const { accountId } = parsed
  return { kind: 'user', accountId, arn, uniqueId, ...(user !== undefined && { userName: user }) }
}

export async function contextKeys(
  policies: readonly SimulatedPolicy[],
  signal: AbortSignal,
): Promise<string[]> {
  const keys = new Set<string>()
  for (const { document } of policies) {
    for (const key of contextKeysOf(document)) keys.add(key)
    await pause(signal)
  }
  return [...keys].toSorted()
}

function invalid(message: string): KmsError {
  return new KmsError('InvalidInputException', message)
}
