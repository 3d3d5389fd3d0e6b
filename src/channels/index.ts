/**
 * channels: the shelf of ways to tell a person or a program, one file a member; adding one is a file and a line here.
 */
import { slack } from './slack.js';
import type { ChannelMember } from './tools.js';
import { webhook } from './webhook.js';

export const channels = { slack, webhook } as const satisfies Readonly<Record<string, ChannelMember>>;
export type { ChannelMember };
