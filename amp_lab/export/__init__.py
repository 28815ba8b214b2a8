"""Exports of renders: HTML, pictures, players, sound files, traces."""
