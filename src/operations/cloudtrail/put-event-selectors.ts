/**
 * PutEventSelectors — sets which records a trail delivers: reads, writes or both, and excluded event
 * sources, for example `kms.amazonaws.com`.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
 * @module
 */
import type {
  PutEventSelectorsRequest,
  PutEventSelectorsResponse,
} from '@aws-sdk/client-cloudtrail'
import { KmsError } from '../../errors.ts'
import { trailArn } from '../../model/trail.ts'
import { boolean, list, oneOf, required, structure, text } from '../../model/shape.ts'
import { shownSelector } from './shown-trail.ts'
import { checkTrailName, onTrail, trailName, trailToChange } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

const selectorsMax = 5
const excludable = ['kms.amazonaws.com', 'rdsdata.amazonaws.com']

export const putEventSelectors = trailOperation<
  PutEventSelectorsRequest,
  PutEventSelectorsResponse
>()({
  name: 'PutEventSelectors',
  input: {
    TrailName: required(trailName),
    EventSelectors: list(
      structure({
        ReadWriteType: oneOf(['ReadOnly', 'WriteOnly', 'All']),
        IncludeManagementEvents: boolean(),
        DataResources: list(
          structure({ Type: text({ max: 256 }), Values: list(text({ max: 2048 }), { max: 250 }) }),
          { max: 250 },
        ),
        ExcludeManagementEventSources: list(text({ max: 256 }), { max: 10 }),
      }),
      { max: 100 },
    ),
    AdvancedEventSelectors: list(
      structure({
        Name: text({ max: 1000 }),
        FieldSelectors: required(list(fieldSelector(), { max: 100 })),
      }),
      { max: 500 },
    ),
  },
  permissions: ({ TrailName }) => [onTrail('cloudtrail:PutEventSelectors', TrailName)],
  readOnly: false,
  audit: ['TrailName', 'EventSelectors', 'AdvancedEventSelectors'],
  auditResponse: (answer) => ({ ...answer }),
  throws: [
    'ValidationException',
    'InvalidTrailNameException',
    'CloudTrailARNInvalidException',
    'UnsupportedOperationException',
    'InvalidEventSelectorsException',
    'AccessDeniedException',
    'InvalidHomeRegionException',
    'TrailNotFoundException',
    'OperationNotPermittedException',
  ],
  check({ TrailName, EventSelectors = [], AdvancedEventSelectors = [] }) {
    checkTrailName(TrailName)
    if (AdvancedEventSelectors.length > 0) {
      throw new KmsError(
        'UnsupportedOperationException',
        'AdvancedEventSelectors are not supported',
      )
    }
    if (EventSelectors.length === 0 || EventSelectors.length > selectorsMax) {
      const message = 'Specify a valid number of selectors (1 to 5) for your trail.'
      throw new KmsError('InvalidEventSelectorsException', message)
    }
    for (const {
      DataResources = [],
      ExcludeManagementEventSources: sources = [],
    } of EventSelectors) {
      if (DataResources.length > 0) {
        const message = 'There are no data events here: DataResources must be empty.'
        throw new KmsError('InvalidEventSelectorsException', message)
      }
      const wrong = sources.find((source) => !excludable.includes(source))
      if (wrong !== undefined) {
        const message = `The event source ${wrong} cannot be excluded.`
        throw new KmsError('InvalidEventSelectorsException', message)
      }
    }
  },
  run: (call, { trails }) =>
    call.commit(async (transaction) => {
      const { TrailName, EventSelectors = [] } = call.input
      const trail = await trailToChange(TrailName, call, transaction, trails)
      const selectors = EventSelectors.map((given) => ({
        readWriteType: given.ReadWriteType ?? 'All',
        includeManagementEvents: given.IncludeManagementEvents ?? true,
        excludedSources: [...new Set(given.ExcludeManagementEventSources)],
      }))
      await transaction.updateTrail(trail, { selectors })
      return {
        TrailARN: trailArn(call.partition, trail),
        EventSelectors: selectors.map(shownSelector),
      }
    }),
})

function fieldSelector() {
  const values = list(text({ max: 2048 }), { max: 500 })
  return structure({
    Field: required(text({ max: 1000 })),
    Equals: values,
    StartsWith: values,
    EndsWith: values,
    NotEquals: values,
    NotStartsWith: values,
    NotEndsWith: values,
  })
}
