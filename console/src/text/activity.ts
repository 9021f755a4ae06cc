/** Text of the activity, and of the overview. @module */

export const activityText = {
  title: 'Activity',
  hint: 'Recorded calls of the last 90 days in this account and Region. A call is shown some seconds after it was made.',
  failed: 'The events could not be read',
  empty: 'No events match.',
  by: 'Filter by',
  value: 'Value',
  attributes: {
    all: 'All events',
    ResourceName: 'Resource (key ARN)',
    EventName: 'Operation',
    Username: 'User name',
    EventSource: 'Service',
    EventId: 'Event ID',
  },
  search: 'Search',
  more: 'Load more events',
  refused: 'Refused only',
  columns: {
    at: 'Time',
    name: 'Operation',
    user: 'Principal',
    source: 'Source address',
    resources: 'Resources',
    error: 'Error',
  },
  record: 'Event record',
  chart: 'Calls by time',
  calls: 'Calls',
  chartEmpty: 'No calls',
  why: 'Why?',
  show: 'Show record',
} as const

export const overviewText = {
  title: 'Overview',
  states: 'Keys by state',
  expiring: 'Key material that expires in the next 30 days',
  noneExpiring: 'No key material expires soon.',
  unused: 'Keys not used in 90 days',
  unusedHint:
    'Of the keys that were looked at. Disable a key before you delete it: that can be undone.',
  noneUnused:
    'Every key that was looked at was used in the last 90 days, or tracked for less time.',
  look: 'Look for unused keys',
  looked: (done: number, all: number): string => `${done} of ${all} keys looked at`,
  refusals: 'Refused calls',
  looking: 'Looking at the calls of the last 24 hours…',
  ofDay: (calls: number): string =>
    `Of all ${calls.toLocaleString()} recorded calls of the last 24 hours`,
  ofLatest: (calls: number): string =>
    `Of the latest ${calls.toLocaleString()} recorded calls, which go back to`,
  noRefusals: 'None of these calls was refused.',
  moreRefusals: (count: number): string => `And ${count.toLocaleString()} more`,
  allRefusals: 'Look at earlier calls in the activity',
  health: 'Server',
  seal: 'Seal',
  sealOf: (kind: string, opensAlone: boolean): string =>
    opensAlone ? `${kind}, opens by itself` : `${kind}, needs people after a restart`,
  nodes: 'Nodes',
  nodesOf: (serving: number, all: number): string => `${serving} of ${all} serving`,
  stores: 'Custom key stores',
  noStores: 'There are no custom key stores.',
  latency: 'Latency',
  latencyHint: (calls: number): string =>
    `Of the last ${calls} calls of this page, from this browser to the server and back. It says nothing of other callers: the server counts theirs in its metrics for Prometheus.`,
  median: 'Median',
  most: '95 of 100 within',
  milliseconds: (count: number): string => `${Math.round(count)} ms`,
  noLatency: 'No call yet.',
  failed: 'Not everything could be read',
} as const
