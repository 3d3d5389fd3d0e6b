/**
 * channels: the shelf of ways to tell a person or a program, one file a member; adding one is a file and a line here.
 */
import { command } from './command.js';
import { discord } from './discord.js';
import { email } from './email.js';
import { heartbeat } from './heartbeat.js';
import { ntfy } from './ntfy.js';
import { pagerduty } from './pagerduty.js';
import { slack } from './slack.js';
import { teams } from './teams.js';
import { telegram } from './telegram.js';
import type { ChannelMember } from './tools.js';
import { webhook } from './webhook.js';

const members = { slack, email, webhook, command, heartbeat, ntfy, discord, teams, telegram, pagerduty } as const;
export const channels = members satisfies Readonly<Record<string, ChannelMember>>;
export type { ChannelMember };
