/** One server, for the callers of the failure tests. @module */
import {
  NodeClients,
  type Answer,
  type Deployment,
  type Login,
  type Who,
} from '../failures/calls.ts'
import { accountId } from './fixed-account.ts'

export class OneServer implements Deployment {
  readonly nodes = 1
  readonly accountId = accountId
  readonly #clients: NodeClients

  /** @param logins may get more later */
  constructor(url: string, logins: ReadonlyMap<Who, Login>) {
    this.#clients = new NodeClients(url, logins)
  }

  isUp(): boolean {
    return true
  }

  call(_node: number, who: Who | Login, operation: string, input: object): Promise<Answer> {
    return this.#clients.call(who, operation, input)
  }

  destroy(): void {
    this.#clients.destroy()
  }
}
