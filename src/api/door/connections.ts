/**
 * api: bounds the connections of the server. When all are taken, the one that has been silent for longest makes room: who has
 * something to ask is served, however many only hold the line.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Most connections at a time. */
const most = 200;

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** `busy`: a whole head was received, and its answer is not sent yet. */
interface Line {
  readonly socket: Socket;
  busy: boolean;
}

/** By the other side's port, which TLS and what it lies on have in common. */
export function boundConnections(server: Pick<Server, 'on'>): void {
  const lines = new Map<string, Line>();
  const makeRoom = (): boolean => {
    const silent = [...lines.values()].find(({ busy }) => !busy);
    silent?.socket.destroy();
    return silent !== undefined;
  };
  server.on('connection', (socket: Socket) => {
    if (lines.size >= most && !makeRoom()) return void socket.destroy();
    const key = keyOf(socket);
    lines.set(key, { socket, busy: false });
    socket.once('close', () => lines.delete(key));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const key = keyOf(socket);
    const line = lines.get(key);
    if (!line) return;
    line.busy = true;
    response.once('close', () => {
      line.busy = false;
      // the silence begins now
      if (lines.delete(key) && !line.socket.destroyed) lines.set(key, line);
    });
  });
}
