/**
 * Questions about access that an account asks about itself, with its own credentials.
 *
 * INVARIANT (own account only): an answer shows policies and principals of the asking account, and no others.
 * A question about another account's caller or key is refused, or answered without them. Policies of the
 * organisation are named where they decide, but their text is never shown.
 * @module
 */
import { KmsError } from '../errors.ts'
import type {
  AccessExplanation,
  CallExplanation,
  Explanations,
  OwnExplanations,
} from '../operations/contract/access-questions.ts'
import type { Edit } from '../policy/explain/policy-edits.ts'

type Asked = Pick<Explanations, 'call' | 'whoCan'>

export function createOwnExplanations(explanations: Asked): OwnExplanations {
  /** Accounts with a question in progress. Each question decides up to thousands of times. */
  const asking = new Set<string>()
  const alone = async <T>(accountId: string, ask: () => Promise<T>): Promise<T> => {
    if (asking.has(accountId)) {
      const message = 'another question of this account about access is being answered'
      throw new KmsError('ThrottlingException', message)
    }
    asking.add(accountId)
    try {
      return await ask()
    } finally {
      asking.delete(accountId)
    }
  }
  return {
    call: (requestId, where) =>
      alone(where.accountId, async () =>
        ownPart(await explanations.call(requestId, where), where.accountId),
      ),
    whoCan(question, accountId, signal) {
      const owner = accountOf(question.key)
      if (owner !== undefined && owner !== accountId) {
        throw new KmsError('NotFoundException', `There is no key ${question.key} in this account`)
      }
      if (question.after !== undefined && !question.after.startsWith(`${accountId}/`)) {
        throw new KmsError('ValidationException', 'the page is not one of this account')
      }
      return alone(accountId, () =>
        explanations.whoCan({ ...question, only: accountId }, accountId, signal),
      )
    },
  }
}

/** The account in an ARN; undefined for ids and names. */
function accountOf(name: string): string | undefined {
  return name.startsWith('arn:') ? name.split(':')[4] : undefined
}

function ownPart({ call, now, unasked }: CallExplanation, accountId: string): CallExplanation {
  if (now === undefined) return { call, ...(unasked !== undefined && { unasked }) }
  if (accountOf(now.caller) !== accountId || accountOf(now.keyArn) !== accountId) {
    return { call, unasked: 'the caller or the key is of another account' }
  }
  return { call, now: withoutOrganisation(now) }
}

function withoutOrganisation(now: AccessExplanation): AccessExplanation {
  const { change, alternatives, statements, ...rest } = now
  const [first, ...others] = [...(change ? [change] : []), ...alternatives].filter(
    (way) => !way.some(isOrganisations),
  )
  return {
    ...rest,
    statements: statements.filter((statement) => !isOfOrganisation(statement.in)),
    ...(first && { change: first }),
    alternatives: others,
  }
}

function isOrganisations(edit: Edit): boolean {
  return 'in' in edit && isOfOrganisation(edit.in)
}

function isOfOrganisation({ policy }: { readonly policy: string }): boolean {
  return policy === 'service-control' || policy === 'resource-control'
}
