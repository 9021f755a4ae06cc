/**
 * Matches `Resource` and `NotResource` of a statement. ARNs are matched segment by segment, at each
 * colon. A wildcard does not cross a colon, except a `*` at the end of the pattern. An ARN with fewer
 * than six segments is completed with `*`, as AWS does in identity-based policies.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 * @module
 */
import type { Effect, Negatable, PolicyKind, PolicyLanguageVersion } from './document.ts'
import { compileGlob, many, type Glob, type Piece } from './glob.ts'
import { isConstant, parseTemplate, resolveTemplate } from './template.ts'
import { not, some, type Verdict } from './undecided.ts'
import { spend, type Work } from './work.ts'
import type { Context } from './context-values.ts'

/** Whether a statement covers a resource. @throws {WorkSpent} */
export type CoversResource = (arn: string, context: Context, work: Work) => Verdict

/** Trust policies: the role with the policy is its only resource. */
export const coversAny: CoversResource = () => true

interface Asked {
  readonly arn: string
  readonly segments: readonly string[]
}

type Test = (asked: Asked, work: Work) => Verdict
type ResourceTest = (asked: Asked, context: Context, work: Work) => Verdict

const arnSegments = 6

/** A pattern with more segments is not compiled: it is undecided. */
const segmentsMax = 64

/** Steps for splitting an ARN. */
const splitSteps = 200

/**
 * Compiles the resources. A statement without resources covers none. A resource with a variable that
 * has no value matches nothing. In `NotResource` that would widen the statement, so it is undecided
 * there.
 */
export function compileResources(
  resources: Negatable<string> | undefined,
  {
    version,
    kind,
    effect,
  }: {
    readonly version: PolicyLanguageVersion
    readonly kind: PolicyKind
    readonly effect: Effect
  },
): CoversResource {
  if (resources === undefined || resources.entries.length === 0) return () => false
  const { negated, entries } = resources
  if (!negated && entries.includes('*')) return coversAny
  // AWS does not document incomplete ARNs in key policies, so they go against the caller.
  const completes = kind !== 'key' || (effect === 'Deny') !== negated
  const tests = entries.map((entry) => compileResource(entry, { version, negated, completes }))
  return (arn, context, work) => {
    spend(work, splitSteps + arn.length)
    const asked = { arn, segments: arn.split(':') }
    const matched = some(tests, (test) => test(asked, context, work))
    return negated ? not(matched) : matched
  }
}

function compileResource(
  entry: string,
  {
    version,
    negated,
    completes,
  }: {
    readonly version: PolicyLanguageVersion
    readonly negated: boolean
    readonly completes: boolean
  },
): ResourceTest {
  const parts = parseTemplate(entry, { variables: version === '2012-10-17', wildcards: true })
  if (parts === undefined) return () => 'value'
  if (isConstant(parts)) {
    const test = matcher(parts, completes)
    return (asked, _context, work) => test(asked, work)
  }
  return (asked, context, work) => {
    const pieces = resolveTemplate(parts, context, work)
    if (pieces === 'no-value') return negated ? 'value' : false
    return pieces === 'value' ? pieces : matcher(pieces, completes)(asked, work)
  }
}

/** Text that is not an ARN is matched as a whole. Key policies may hold any text. */
function matcher(pieces: readonly Piece[], completes: boolean): Test {
  const written = segmentsOf(pieces)
  if (written === undefined) return () => 'value'
  if (written.length === 1 || textOf(written[0] ?? []) !== 'arn') {
    const glob = compileGlob(pieces)
    return ({ arn }, work) => glob(arn, work)
  }
  const open = pieces.at(-1) === many || (completes && written.length < arnSegments)
  const tests = written.map(segmentTest)
  return ({ segments }, work) => {
    spend(work, 8)
    const { length } = segments
    if (open ? length < tests.length : length !== tests.length) return false
    return tests.every((test, index) => test(segments[index] ?? '', work))
  }
}

/** Splits at every colon; undefined when there are more than `segmentsMax` segments. */
function segmentsOf(pieces: readonly Piece[]): readonly (readonly Piece[])[] | undefined {
  const segments: Piece[][] = [[]]
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      segments.at(-1)?.push(piece)
      continue
    }
    const [head = '', ...tails] = piece.split(':', segmentsMax + 1)
    if (segments.length + tails.length > segmentsMax) return undefined
    segments.at(-1)?.push(head)
    for (const tail of tails) segments.push([tail])
  }
  return segments
}

function segmentTest(pieces: readonly Piece[]): Glob {
  const text = textOf(pieces)
  if (text === undefined) return compileGlob(pieces)
  return (segment, work) => {
    spend(work, 8 + text.length)
    return segment === text
  }
}

/** Undefined when there are wildcards. */
function textOf(pieces: readonly Piece[]): string | undefined {
  return pieces.every((piece) => typeof piece === 'string') ? pieces.join('') : undefined
}

/** Whether a resource of a policy is an ARN with fewer segments than ARNs have. */
export function isIncompleteArn(entry: string, version: PolicyLanguageVersion): boolean {
  const parts = parseTemplate(entry, { variables: version === '2012-10-17', wildcards: true }) ?? []
  const written = parts.filter((part) => typeof part === 'string').join('')
  return written.startsWith('arn:') && written.split(':').length < arnSegments
}
