import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { openApp, startServer } from '@/test/app';

describe('logged out', () => {
  it('every address shows the log-in alone, and opens after it', async () => {
    startServer({ signedIn: false });
    const { user, router } = openApp('/r/tickets?q=vpn');
    expect(await screen.findByRole('heading', { name: 'Log in' })).toBeVisible();
    expect(screen.queryByRole('navigation')).toBeNull();
    expect(screen.queryByRole('grid')).toBeNull();

    await user.type(screen.getByLabelText('E-mail or username'), 'awa@acme.example');
    await user.type(screen.getByLabelText('Password'), 'wrong');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('Unknown account or wrong password.');
    expect(screen.getByLabelText('E-mail or username')).toHaveValue('awa@acme.example');

    await user.clear(screen.getByLabelText('Password'));
    await user.type(screen.getByLabelText('Password'), 'right{Enter}');
    expect(await screen.findByRole('grid', { name: 'Tickets' })).toBeVisible();
    expect(router.state.location.href).toBe('/r/tickets?q=vpn');
  });

  it('is also what becomes of a page whose session ends meanwhile', async () => {
    const { fake } = startServer();
    const { user, queryClient } = openApp('/r/tickets');
    await screen.findByText('TIC-020000');
    fake.signedIn = false;
    await user.click(screen.getByRole('button', { name: 'Priority' }));
    expect(await screen.findByRole('heading', { name: 'Log in' })).toBeVisible();
    expect(screen.queryByText('TIC-020000')).toBeNull();
    await waitFor(() => expect(queryClient.getQueryCache().getAll()).toEqual([]));
  });
});
