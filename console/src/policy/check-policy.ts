/** Checks of a key policy before it is sent. The server checks everything; this says where the mistake is. @module */
import { policyText } from '../text/policy.ts'

const words = policyText.editor
const bytesMax = 32_768

export interface PolicyCheck {
  /** The server would refuse it. */
  readonly problems: readonly string[]
  readonly hints: readonly string[]
}

export function checkPolicy(text: string): PolicyCheck {
  const hints: string[] = []
  if (new TextEncoder().encode(text).length > bytesMax) return { problems: [words.tooLong], hints }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    return { problems: [words.notJson(message)], hints }
  }
  if (!isObject(document)) return { problems: [words.notObject], hints }
  if (document['Version'] !== '2012-10-17') hints.push(words.version)
  const statements = [document['Statement'] ?? []].flat()
  if (statements.length === 0) return { problems: [words.noStatement], hints }
  const problems = statements.flatMap((statement, index) =>
    problemsOf(statement).map((problem) => words.statement(index, problem)),
  )
  if (!statements.some(mayPutPolicy)) hints.push(words.noAdmin)
  return { problems, hints }
}

function problemsOf(statement: unknown): readonly string[] {
  if (!isObject(statement)) return [words.notObject]
  const has = (...names: readonly string[]): boolean =>
    names.some((name) => statement[name] !== undefined)
  const effect = statement['Effect']
  return [
    ...(effect === 'Allow' || effect === 'Deny' ? [] : [words.effect]),
    ...(has('Principal', 'NotPrincipal') ? [] : [words.missing('Principal')]),
    ...(has('Action', 'NotAction') ? [] : [words.missing('Action')]),
    ...(has('Resource', 'NotResource') ? [] : [words.missing('Resource')]),
  ]
}

function mayPutPolicy(statement: unknown): boolean {
  if (!isObject(statement) || statement['Effect'] !== 'Allow') return false
  if (statement['NotAction'] !== undefined) return true
  return [statement['Action'] ?? []].flat().some((action) => {
    const name = typeof action === 'string' ? action.toLowerCase() : ''
    return name === '*' || name === 'kms:*' || /^kms:put(?:\*|key\*|keypolicy)$/.test(name)
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
