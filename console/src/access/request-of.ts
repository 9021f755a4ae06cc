/** Which call a pasted text is about: by its request id, or by its error message, which its record has too. @module */
import {
  CloudTrailClient,
  LookupEventsCommand,
  type LookupEventsCommandInput,
  type LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail'
import { recordOf } from '../activity/events.ts'
import type { Aws } from '../aws/aws.ts'
import { whenRecorded } from '../aws/when-recorded.ts'
import { accessText } from '../text/access.ts'

const requestIds = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi
/** Behind a slash or a colon, it is the id of a key. */
const ofResource = /(?:key|alias)[/:]$|mrk-$/
/** Fifty events each. AWS answers twice a second. */
const pagesMax = 5

/** @throws when no record of the account and Region fits */
export async function requestOf(aws: Aws, region: string, input: string): Promise<string> {
  // Terminals break lines, and logs indent them.
  const pasted = folded(input)
  const [id] = [...pasted.matchAll(requestIds)].filter(
    ({ index }) => !ofResource.test(pasted.slice(0, index)),
  )
  if (id !== undefined) return id[0]
  const operation = operationIn(pasted)
  if (operation === undefined) throw new Error(accessText.noOperation)
  return whenRecorded(() => findByMessage(aws, region, operation, pasted))
}

/** The operation that an error message names, as `when calling the Encrypt operation` or `kms:Encrypt`. */
function operationIn(pasted: string): string | undefined {
  const [, named] = /when calling the (\w+) operation/.exec(pasted) ?? []
  const [, action] = /not authorized to perform: [\w-]+:(\w+)/.exec(pasted) ?? []
  // Its two permissions belong to one operation.
  return (named ?? action)?.replace(/^ReEncrypt(?:From|To)$/, 'ReEncrypt')
}

function folded(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

async function findByMessage(
  aws: Aws,
  region: string,
  operation: string,
  pasted: string,
): Promise<string> {
  const asked: LookupEventsCommandInput = {
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: operation }],
    MaxResults: 50,
  }
  let NextToken: string | undefined
  for (let page = 0; page < pagesMax; page += 1) {
    const after: Pick<LookupEventsCommandInput, 'NextToken'> =
      NextToken === undefined ? {} : { NextToken }
    const answer: LookupEventsCommandOutput = await aws.run(CloudTrailClient, region, (trail) =>
      trail.send(new LookupEventsCommand({ ...asked, ...after })),
    )
    for (const event of answer.Events ?? []) {
      const { errorMessage = '', requestId } = recordOf(event)
      const isIt = errorMessage !== '' && pasted.includes(folded(errorMessage))
      if (isIt && requestId !== undefined) return requestId
    }
    ;({ NextToken } = answer)
    if (NextToken === undefined) break
  }
  const missing = new Error(accessText.noRecord(operation))
  missing.name = 'NotFoundException'
  throw missing
}
