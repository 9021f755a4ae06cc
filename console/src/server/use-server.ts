/** The server's readiness and deployment, for the screens that show them. @module */
import { type Asked, useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { type Deployment, readDeployment } from './deployment.ts'
import { type Readiness, readReadiness } from './readiness.ts'

export function useServer(): {
  readonly readiness: Asked<Readiness>
  readonly asked: Asked<Deployment | undefined>
  /** Absent while it loads, and for principals who may not see it. */
  readonly deployment: Deployment | undefined
  readonly refresh: () => void
} {
  const { aws, region } = useConsole()
  const readiness = useAsked('readiness', readReadiness)
  const { asked, again } = useAsked('deployment', () => readDeployment(aws, region))
  return {
    readiness: readiness.asked,
    asked,
    deployment: asked.state === 'here' ? asked.value : undefined,
    refresh() {
      readiness.again()
      again()
    },
  }
}
