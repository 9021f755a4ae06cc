/**
 * The floor: a bare `node:http` server that reads a body and answers 200 with a body of a given size. Its parent
 * process sends the size in bytes.
 * @module
 */
import { createServer } from 'node:http'

let answer = Buffer.alloc(400, 'x')
process.on('message', (bytes) => {
  answer = Buffer.alloc(Number(bytes), 'x')
  process.send?.('ready')
})
process.on('disconnect', () => {
  process.exit()
})

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length })
    response.end(answer)
  })
})
// An open loop may leave a connection idle for long.
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}\n`)
})
